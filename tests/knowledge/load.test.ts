import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PDFDocument, StandardFonts } from 'pdf-lib'
import { load, openKnowledge, syncFolder } from '../../knowledge/index.ts'
import { isPrivate } from '../../knowledge/web-page.ts'
import { silent } from '../../src/log.ts'
import { hashEmbedder } from '../fakes/hash-embedder.ts'

const where = { tenant: 'web', scope: 'public' }
let base: string
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'hone-load-'))
})
afterEach(() => rm(base, { recursive: true, force: true }))

async function put(name: string, content: string | Uint8Array): Promise<string> {
  await mkdir(dirname(join(base, name)), { recursive: true })
  await writeFile(join(base, name), content)
  return join(base, name)
}
const read = (name: string, options = {}) => load(join(base, name), { ...where, base, ...options })

async function pdf(...pages: readonly string[]): Promise<Uint8Array> {
  const made = await PDFDocument.create()
  made.setTitle('Travel rules')
  const font = await made.embedFont(StandardFonts.Helvetica)
  for (const text of pages) made.addPage().drawText(text, { x: 50, y: 700, size: 12, font, lineHeight: 16 })
  return made.save()
}

describe('the loaders', () => {
  it('read Markdown with its front matter taken off', async () => {
    await put('a/leave.md', '---\ntitle: Leave\nauthor: x\n---\n## Vacation\n\n25 days.\n')
    const { documents, failed } = await read('a')
    assert.deepEqual(failed, [])
    assert.deepEqual(documents, [
      { id: 'a/leave.md', ...where, title: 'Leave', text: '## Vacation\n\n25 days.\n', format: 'markdown' },
    ])
  })

  it('read a PDF page by page', async () => {
    await put('travel.pdf', await pdf('Trains are booked early.', 'Taxis need a receipt.'))
    const { documents } = await read('travel.pdf')
    assert.equal(documents[0]?.title, 'Travel rules')
    assert.match(documents[0]?.text ?? '', /## Page 2\n\nTaxis need a receipt\./)
  })

  it('read the article of an HTML page and leave menus and scripts out', async () => {
    const page = '<title>Leave</title><nav>Home</nav><main><h1>Leave</h1><p>Everyone gets 25 days.</p></main>'
    await put('leave.html', `<!doctype html><html><body>${page}<script>alert(1)</script></body></html>`)
    const { documents } = await read('leave.html')
    assert.match(documents[0]?.text ?? '', /^# Leave\n\nEveryone gets 25 days\./)
    assert.doesNotMatch(documents[0]?.text ?? '', /Home|alert/)
  })

  it('read each row of a table with the names of its columns', async () => {
    await put('prices.csv', 'name;price\nApple;3\n"Pear; big";4\n')
    assert.equal((await read('prices.csv')).documents[0]?.text, 'name: Apple; price: 3\nname: Pear; big; price: 4')
  })

  it('report what they can not read, and why', async () => {
    await put('docs/garbage.pdf', '%PDF-1.7 this is no PDF at all')
    await put('docs/wrong.pdf', 'hello')
    await put('docs/locked.docx', new Uint8Array([80, 75, 3, 4, 1, 2, 3]))
    await put('docs/empty.md', '')
    await put('docs/blank.txt', ' \n\n ')
    await put('docs/large.txt', 'word '.repeat(500))
    await put('docs/photo.png', new Uint8Array([137, 80, 78, 71, 0, 0, 1, 2, 3]))
    await put('docs/good.txt', 'The garage opens at seven.')
    const { documents, failed } = await read('docs', { maxBytes: 2000 })
    assert.deepEqual(
      documents.map((one) => one.id),
      ['docs/good.txt'],
    )
    const reasons = Object.fromEntries(failed.map((one) => [one.id.slice(5), one.reason]))
    assert.match(reasons['garbage.pdf'] ?? '', /damaged/)
    assert.match(reasons['wrong.pdf'] ?? '', /no PDF/)
    assert.match(reasons['locked.docx'] ?? '', /damaged/)
    assert.match(reasons['empty.md'] ?? '', /empty/)
    assert.match(reasons['blank.txt'] ?? '', /no text/)
    assert.match(reasons['large.txt'] ?? '', /larger than/)
    assert.match(reasons['photo.png'] ?? '', /binary/)
  })

  it('give up on a file that takes too long, and read the next one', async () => {
    const text = 'A long page of words. '.repeat(100)
    await put('docs/slow.pdf', await pdf(...Array.from({ length: 40 }, () => text)))
    const { documents, failed } = await read('docs', { timeoutMs: 1 })
    assert.equal(documents.length, 0)
    assert.match(failed[0]?.reason ?? '', /longer than/)
    assert.equal((await read('docs')).documents.length, 1)
  })

  it('leave out hidden files and never follow a link out of the folder', async () => {
    await put('secret.txt', 'The password is swordfish.')
    await put('docs/.hidden/a.md', 'hidden')
    await put('docs/a.md', 'shown')
    await symlink(join(base, 'secret.txt'), join(base, 'docs/link.txt'))
    await symlink(join(base, 'docs'), join(base, 'docs/loop'))
    const { documents, failed } = await read('docs')
    assert.deepEqual(
      documents.map((one) => one.id),
      ['docs/a.md'],
    )
    assert.deepEqual(
      failed.map((one) => one.id),
      ['docs/link.txt', 'docs/loop'],
    )
  })

  it('wait for no pipe', async () => {
    execFileSync('mkfifo', [join(base, 'pipe.md')])
    const { documents, failed } = await read('pipe.md')
    assert.deepEqual([documents, failed], [[], [{ id: 'pipe.md', reason: 'It is neither a file nor a folder.' }]])
  })

  it('refuse a path that does not exist', async () => {
    await assert.rejects(read('nowhere'), { code: 'INPUT' })
  })
})

describe('syncing a folder', () => {
  it('adds, changes and removes just what is different, and keeps what can not be read today', async () => {
    await using knowledge = await openKnowledge({
      dir: join(base, '.index'),
      embedder: hashEmbedder(),
      log: silent,
      vectors: 'usearch',
    })
    const sync = () => syncFolder(knowledge, join(base, 'docs'), { ...where, base })
    await put('docs/a.md', '# Garage\n\nIt opens at seven.')
    await put('docs/b.md', '# Canteen\n\nSoup on Fridays.')
    await put('docs/c.md', '# Gym\n\nFree for everyone.')
    const other = { id: 'docs2/x.md', ...where, title: 'X', text: 'Another folder.', format: 'text' } as const
    await knowledge.add([other])
    assert.equal((await sync()).added, 3)
    await rm(join(base, 'docs/a.md'))
    await put('docs/garage.md', '# Garage\n\nIt opens at seven.')
    await put('docs/b.md', '# Canteen\n\nSoup on Mondays.')
    await put('docs/c.md', '')
    const report = await sync()
    const { added, changed, unchanged, removed, embedded } = report
    assert.deepEqual(
      { added, changed, unchanged, removed, embedded },
      {
        added: 1,
        changed: 1,
        unchanged: 0,
        removed: 1,
        embedded: 1,
      },
    )
    assert.deepEqual(
      report.failed.map((one) => one.id),
      ['docs/c.md'],
    )
    const ids = (await knowledge.documents('web')).map((one) => one.id)
    assert.deepEqual(ids, ['docs/b.md', 'docs/c.md', 'docs/garage.md', 'docs2/x.md'])
  })

  it('empties what came from a folder that is empty now', async () => {
    await using knowledge = await openKnowledge({ dir: join(base, '.index'), log: silent, vectors: 'usearch' })
    const file = await put('docs/a.md', 'The garage opens at seven.')
    const sync = () => syncFolder(knowledge, join(base, 'docs'), { ...where, base })
    await sync()
    await rm(file)
    const { removed, passages, failed } = await sync()
    assert.deepEqual({ removed, passages, failed }, { removed: 1, passages: 0, failed: [] })
  })
})

describe('web pages', () => {
  let server: Server
  let origin: string
  beforeEach(async () => {
    server = createServer((request, response) => {
      const pages: Record<string, () => void> = {
        '/leave': () =>
          response.setHeader('content-type', 'text/html').end('<h1>Leave</h1><p>Everyone gets 25 days.</p>'),
        '/moved': () => response.writeHead(302, { location: '/leave' }).end(),
        '/loop': () => response.writeHead(302, { location: '/loop' }).end(),
        '/huge': () => response.setHeader('content-type', 'text/plain').end('x'.repeat(5000)),
        '/film': () => response.setHeader('content-type', 'video/mp4').end('x'),
      }
      const page = pages[request.url ?? ''] ?? (() => response.writeHead(404).end())
      page()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))
  const get = (path: string, options = {}) => load(origin + path, { ...where, allowPrivate: true, ...options })

  it('are fetched, through redirects, and keep their address', async () => {
    const { documents } = await get('/moved#part')
    assert.equal(documents[0]?.id, `${origin}/moved`)
    assert.equal(documents[0]?.url, `${origin}/moved`)
    assert.match(documents[0]?.text ?? '', /25 days/)
  })

  it('are reported when they are missing, too large, endless redirects or no text', async () => {
    const reason = async (path: string) => (await get(path, { maxBytes: 1000 })).failed[0]?.reason ?? ''
    assert.match(await reason('/nowhere'), /404/)
    assert.match(await reason('/huge'), /larger/)
    assert.match(await reason('/loop'), /redirects too often/)
    assert.match(await reason('/film'), /video\/mp4/)
  })

  it('of the private network are refused unless allowed', async () => {
    for (const host of [origin, origin.replace('127.0.0.1', 'localhost'), origin.replace('127.0.0.1', '2130706433')]) {
      const { documents, failed } = await load(`${host}/leave`, where)
      assert.deepEqual(documents, [])
      assert.match(failed[0]?.reason ?? '', /private network/)
    }
  })

  it('are told apart by their addresses', () => {
    const inside = '10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 ::1 fe80::1 fd00::1 ::ffff:127.0.0.1 ::ffff:7f00:1'
    for (const address of inside.split(' ')) assert.ok(isPrivate(address), address)
    for (const address of ['8.8.8.8', '2606:4700::1111', '172.32.0.1']) assert.ok(!isPrivate(address), address)
  })
})
