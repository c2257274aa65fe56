import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pullModel } from '../../src/cli/models.ts'
import type { Output } from '../../src/cli/output.ts'
import { readConfig } from '../../src/config.ts'
import { writeTinyModel } from '../fixtures/gguf.ts'

describe('hone models pull', function suite() {
  let dir: string
  let server: Server
  let body: Buffer
  /** Bytes after which the connection breaks, once. */
  let breakAfter: number | undefined
  let ranges: (string | undefined)[]
  let results: unknown[]
  const output: Output = { json: false, say: () => {}, result: (_, data) => void results.push(data) }

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'hone-pull-'))
    // Larger than the piece in which the downloader keeps what came.
    body = readFileSync(writeTinyModel(join(dir, 'original.gguf'), { width: 640 }))
    breakAfter = undefined
    ranges = []
    results = []
    server = createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(() => {
    server.close()
    server.closeAllConnections()
    rmSync(dir, { recursive: true })
  })

  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url !== '/tiny.gguf') return void response.writeHead(404).end()
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    const end = to === '' ? body.length - 1 : Number(to)
    const part = body.subarray(Number(from), end + 1)
    response.writeHead(request.headers.range ? 206 : 200, {
      'accept-ranges': 'bytes',
      'content-length': part.length,
      ...(request.headers.range ? { 'content-range': `bytes ${from}-${end}/${body.length}` } : {}),
    })
    if (request.method === 'HEAD') return void response.end()
    ranges.push(request.headers.range)
    // The first request, without a range, only asks what there is.
    if (breakAfter === undefined || !request.headers.range) return void response.end(part)
    response.write(part.subarray(0, breakAfter), () => response.destroy())
    breakAfter = undefined
  }
  const pull = (path = 'tiny.gguf') => {
    const { port } = server.address() as { port: number }
    return pullModel('pull', `http://127.0.0.1:${port}/${path}`, readConfig({ HONE_DATA: dir }), output)
  }

  it('saves the whole file and says where', async () => {
    await pull()
    const [{ file }] = results as [{ file: string }]
    assert.deepEqual(readFileSync(file), body)
  })

  it('goes on where the connection broke off', async () => {
    breakAfter = Math.floor(body.length * 0.8)
    await pull()
    const [{ file }] = results as [{ file: string }]
    assert.deepEqual(readFileSync(file), body)
    assert.ok(ranges.length > 1 && /^bytes=[1-9]/.test(ranges.at(-1) ?? ''), ranges.join(' '))
  })

  it('refuses what is no whole model, and leaves nothing of it', async () => {
    body = body.subarray(0, body.length - 100)
    await assert.rejects(pull(), { code: 'MODEL_FILE', message: /cut short/ })
    assert.deepEqual(readdirSync(join(dir, 'models')), [])
  })

  it('says that the address has no model', async () => {
    await assert.rejects(pull('other.gguf'), { code: 'NETWORK', message: /other\.gguf could not be fetched/ })
  })
})
