import { Presets, SingleBar } from 'cli-progress'

export interface Bar {
  update(done: number, total: number, label: string): void
  stop(): void
}

/** A progress bar with ETA on a terminal; elsewhere plain lines, at most one in five seconds. */
export function createBar(title: string, stream: NodeJS.WriteStream = process.stderr): Bar {
  if (!stream.isTTY) return plain(title, stream)
  const bar = new SingleBar(
    {
      format: `${title} [{bar}] {value}/{total} {eta_formatted} {label}`,
      stream,
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.rect,
  )
  let started = false
  return {
    update(done, total, label) {
      if (!started) bar.start(total, 0, { label })
      started = true
      bar.setTotal(total)
      bar.update(done, { label })
    },
    stop: () => bar.stop(),
  }
}

const everyMs = 5000

function plain(title: string, stream: NodeJS.WriteStream): Bar {
  let last = Date.now()
  return {
    update(done, total, label) {
      if (Date.now() - last < everyMs) return
      last = Date.now()
      stream.write(`${title}: ${done}/${total} ${label}\n`)
    },
    stop() {},
  }
}
