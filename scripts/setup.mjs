// Sets up what is missing, then starts Hone or runs its tests:  node scripts/setup.mjs start|test [arguments]
// Plain JavaScript for any Node from 18 on: it runs before anything is installed. Everything after it runs on the
// Node that package.json pins.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const modules = join(root, 'node_modules')
const stamp = join(modules, '.hone-setup')
const bin = join(modules, '.bin')

const say = (text) => process.stderr.write(`${text}\n`)

/** What a person can do about a failed npm, by what it printed. */
export function advice(output) {
  if (/ENOSPC|no space left/i.test(output)) return 'The disk is full. Free about 2 GB and run the command again.'
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|network/i.test(output)) {
    return 'The npm registry could not be reached. Check the connection (or the proxy: `npm config get proxy`) and run the command again.'
  }
  if (/EACCES|EPERM/i.test(output))
    return 'npm may not write here. Give this folder to your user and run the command again.'
  return 'Read the lines above; `npm install` run by hand shows more. Then run the command again.'
}

/** Runs a command; resolves with its exit code and the end of what it printed. */
function run(command, args, { quiet = false, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, ...env },
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      shell: process.platform === 'win32',
    })
    let tail = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        tail = (tail + chunk).slice(-8000)
      })
    }
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal))
    child.on('error', (error) => resolve({ code: 127, tail: String(error) }))
    child.on('close', (code) => resolve({ code: code ?? 1, tail }))
  })
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(process.arch)
    .digest('hex')
}

const ownNode = Number(process.versions.node.split('.')[0])

const npmInstall = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']

/** True where npm would leave out llama.cpp's prebuilt packages, which are optional and want Node 20, in silence. */
export function needsNewerNode(major = ownNode) {
  return major < 20
}

/** The PATH that npm runs with: behind the pinned Node, fetched alone first, where the machine's own is too old. */
async function pathForNpm() {
  if (!needsNewerNode()) return {}
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const folder = join(root, '.cache', 'node')
  mkdirSync(folder, { recursive: true })
  say(`Fetching Node ${devDependencies.node} (120 MB) …`)
  const { code, tail } = await run('npm', [...npmInstall, '--prefix', folder, `node@${devDependencies.node}`], {
    quiet: true,
  })
  if (code !== 0) {
    say(tail)
    fail(`npm could not fetch Node. ${advice(tail)}`)
  }
  return { PATH: `${join(folder, 'node_modules', 'node', 'bin')}${delimiter}${process.env.PATH}` }
}

/** Installs the packages of the lock file, once per lock file. A stamp written last marks a whole installation. */
async function installPackages() {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash()) return
  const env = await pathForNpm()
  say('Installing packages with npm (about 1 GB, 1 to 3 minutes, once) …')
  rmSync(stamp, { force: true })
  const started = Date.now()
  const tick = setInterval(() => say(`  … ${Math.round((Date.now() - started) / 1000)} s`), 15_000)
  // Not `npm ci`: it wants the optional packages of every platform in the lock file, and registries differ in which they have.
  const { code, tail } = await run('npm', npmInstall, { quiet: true, env })
  clearInterval(tick)
  if (code !== 0) {
    say(tail)
    fail(`npm could not install the packages. ${advice(tail)}`)
  }
  writeFileSync(stamp, lockHash())
  say(`Packages are installed (${Math.round((Date.now() - started) / 1000)} s).`)
}

/** FAISS makes vector search exact and quick; without it, usearch does the same work. */
async function buildFaiss(always) {
  const script = join(root, 'scripts', 'build-faiss.mjs')
  if (!existsSync(script)) return
  if (!existsSync(join(modules, 'faiss-node')))
    say('Building the Node module of FAISS where it can be built (some seconds to 2 minutes) …')
  const { code, tail } = await run(join(bin, 'node'), [script], { quiet: true })
  const last = tail.trim().split('\n').at(-1)
  if (last && (always || code !== 0)) say(last)
}

/** An OpenAI-style server that others wrote, for the tests of the http engine. They say when it isn't there. */
async function installTestServer() {
  const python = join(root, '.venv', process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  const { code } = await run(python, ['-m', 'pip', 'install', '--quiet', '-r', 'tests/requirements.txt'], {
    quiet: true,
  })
  if (code !== 0) say('llama.cpp’s own server is not to be had here: its tests are left out.')
}

function fail(text) {
  say(`\n${text}`)
  process.exit(1)
}

const steps = {
  async start(args) {
    await installPackages()
    await buildFaiss(false)
    process.exit((await run(join(bin, 'node'), ['src/main.ts', 'start', ...args])).code)
  },
  async test(args) {
    await installPackages()
    await buildFaiss(true)
    const only = args.length > 0
    const checks = [
      ['types', join(bin, 'tsc'), ['--noEmit']],
      ['lint', join(bin, 'biome'), ['check', '.']],
      ['training environment', join(bin, 'node'), ['src/main.ts', 'setup', 'python']],
      ['tests', join(bin, 'mocha'), only ? args : ['tests/**/*.test.ts']],
    ]
    for (const [name, command, commandArgs] of checks) {
      if (name === 'tests' && !only) await installTestServer()
      if (only && name !== 'tests') continue
      say(`\n— ${name}`)
      const { code } = await run(command, commandArgs)
      if (code !== 0) fail(`${name}: failed (exit code ${code}).`)
    }
  },
}

const [step, ...args] = process.argv.slice(2)
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (ownNode < 18) fail(`Node ${process.versions.node} is too old even to set up. Install Node 18 or newer.`)
  if (!Object.hasOwn(steps, step ?? '')) {
    say('Usage: node scripts/setup.mjs start|test [arguments]')
    process.exit(2)
  }
  await steps[step](args)
}
