import { crc32, deflateSync } from 'node:zlib'

const width = 480
const height = 160
const margin = 12
/** Palette indices: paper, grid, line. */
const colours = [0x1e, 0x1f, 0x22, 0x3a, 0x3c, 0x42, 0x3b, 0x82, 0xf6]

/**
 * The course of a figure as a PNG picture; undefined before there are two values.
 *
 * @see https://www.w3.org/TR/png-3/
 */
export function plot(values: readonly number[]): Buffer | undefined {
  const finite = values.filter(Number.isFinite)
  if (finite.length < 2) return undefined
  const low = Math.min(...finite)
  const span = Math.max(...finite) - low || 1
  const x = (index: number) => margin + (index / (finite.length - 1)) * (width - 2 * margin)
  const y = (value: number) => height - margin - ((value - low) / span) * (height - 2 * margin)
  const pixels = new Uint8Array(width * height)
  for (let line = 0; line <= 4; line++) {
    const at = Math.round(margin + (line / 4) * (height - 2 * margin))
    pixels.fill(1, at * width + margin, at * width + width - margin)
  }
  for (let index = 1; index < finite.length; index++) {
    const from = { x: x(index - 1), y: y(finite[index - 1] ?? low) }
    draw(pixels, from, { x: x(index), y: y(finite[index] ?? low) })
  }
  return png(pixels)
}

interface Point {
  readonly x: number
  readonly y: number
}

/** A line three pixels thick. */
function draw(pixels: Uint8Array, from: Point, to: Point): void {
  const steps = Math.ceil(Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y), 1))
  for (let step = 0; step <= steps; step++) {
    const x = Math.round(from.x + ((to.x - from.x) * step) / steps)
    const y = Math.round(from.y + ((to.y - from.y) * step) / steps)
    for (const row of [y - 1, y, y + 1]) pixels.fill(2, row * width + x - 1, row * width + x + 2)
  }
}

function png(pixels: Uint8Array): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // 8 bits a pixel, colours from a palette.
  header.set([8, 3], 8)
  const rows = Buffer.alloc((width + 1) * height)
  for (let row = 0; row < height; row++) {
    rows.set(pixels.subarray(row * width, (row + 1) * width), row * (width + 1) + 1)
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const parts = [chunk('IHDR', header), chunk('PLTE', Buffer.from(colours)), chunk('IDAT', deflateSync(rows))]
  return Buffer.concat([signature, ...parts, chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(named.length + 8)
  framed.writeUInt32BE(data.length, 0)
  framed.set(named, 4)
  framed.writeUInt32BE(crc32(named), named.length + 4)
  return framed
}
