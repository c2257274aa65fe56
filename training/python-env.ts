import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { asHoneError, HoneError } from '../src/errors.ts'

const run = promisify(execFile)

/** Oldest Python that every pinned package runs on. */
const oldest = { major: 3, minor: 11 } as const
const candidates = ['python3', 'python', 'python3.13', 'python3.12', 'python3.11', 'python3.14']

/** What the environment takes once it is there, with room for the downloads while it is made. */
const neededBytes = 3e9

/** What an environment is made of and where. */
export interface PythonEnvOptions {
  /** Folder of the virtual environment; made when it isn't there. */
  readonly venv: string
  /** Lock file: one `name==version` a line. */
  readonly requirements: string
  /** Python that makes the environment, as a path or a name. Absent: the first good one on the PATH. */
  readonly python?: string
}

/** The lock file that Hone comes with. */
export const lockFile = fileURLToPath(new URL('python/requirements.lock', import.meta.url))

/**
 * Where the training environment belongs: `.venv` in a checkout of Hone, shared by all its data folders, or
 * `<dataDir>/venv` where Hone was installed as a package.
 */
export async function venvFolder(dataDir: string): Promise<string> {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const checkout = await stat(join(root, '.git')).catch(() => undefined)
  return checkout ? join(root, '.venv') : join(dataDir, 'venv')
}

/** Path of the Python inside a virtual environment. */
export function venvPython(venv: string): string {
  return process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python')
}

/** True when the environment was completed from this very lock file. */
export async function isReady({ venv, requirements }: PythonEnvOptions): Promise<boolean> {
  const mark = await readMark(venv)
  return mark === (await lockHash(requirements)) && (await stat(venvPython(venv)).catch(() => undefined)) !== undefined
}

/**
 * Makes the training environment on first use and repairs one whose set-up was interrupted. Quick when it is there.
 *
 * @param say gets a line for people at each step, e.g. `Collecting torch 2.13.0 (31 of 56)`.
 * @returns the path of the environment's Python.
 * @throws HoneError PYTHON, NETWORK, DISK_FULL, BUSY or CANCELLED.
 */
export async function preparePython(
  options: PythonEnvOptions,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  if (await isReady(options)) return venvPython(options.venv)
  await using _lock = await lock(options.venv)
  if (await isReady(options)) return venvPython(options.venv)
  const python = await findPython(options.python)
  say('Setting up the training environment (about 1 GB, once).')
  await clear(options.venv)
  await makeVenv(python, options.venv, signal)
  await install(options, say, signal)
  await writeFile(markFile(options.venv), await lockHash(options.requirements))
  say('The training environment is ready.')
  return venvPython(options.venv)
}

/**
 * The first Python on the PATH that can make the environment, or the configured one.
 *
 * @throws HoneError PYTHON saying what was found instead.
 */
export async function findPython(configured?: string): Promise<string> {
  const found: string[] = []
  for (const name of configured ? [configured] : candidates) {
    const version = await versionOf(name)
    if (version === undefined) continue
    if (isNewEnough(version) && (await hasVenv(name))) return name
    found.push(
      isNewEnough(version) ? `${name} ${version} without its venv module (python3-venv)` : `${name} ${version}`,
    )
  }
  const wanted = `Training needs Python ${oldest.major}.${oldest.minor} or newer with venv and pip`
  if (configured) throw new HoneError('PYTHON', `${wanted}; ${found[0] ?? `${configured} can't be run`}.`)
  throw new HoneError('PYTHON', `${wanted}; found ${found.join(', ') || 'none on the PATH'}.`)
}

async function versionOf(python: string): Promise<string | undefined> {
  const script = 'import sys; print("%d.%d" % sys.version_info[:2])'
  return run(python, ['-c', script]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  )
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major === oldest.major && minor >= oldest.minor
}

async function hasVenv(python: string): Promise<boolean> {
  return run(python, ['-c', 'import venv, ensurepip']).then(
    () => true,
    () => false,
  )
}

async function makeVenv(python: string, venv: string, signal?: AbortSignal): Promise<void> {
  try {
    await run(python, ['-m', 'venv', venv], signal ? { signal } : {})
  } catch (error) {
    if (signal?.aborted) throw new HoneError('CANCELLED', 'The set-up of the training environment was stopped.')
    throw asHoneError(error, 'PYTHON', `${python} could not make the environment in ${venv}`)
  }
}

/** pip takes the exact versions of the lock file, so it never trades a package for a newer build. */
async function install({ venv, requirements }: PythonEnvOptions, say: (line: string) => void, signal?: AbortSignal) {
  const total = (await readFile(requirements, 'utf8')).split('\n').filter((line) => line.includes('==')).length
  const arguments_ = ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '-r', requirements]
  const pip = spawn(venvPython(venv), arguments_, { stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) })
  const ended = new Promise<number | null>((resolve) => {
    pip.once('error', () => resolve(null))
    pip.once('close', resolve)
  })
  const complaints: string[] = []
  createInterface({ input: pip.stderr }).on('line', (line) => complaints.push(line))
  let collected = 0
  createInterface({ input: pip.stdout }).on('line', (line) => {
    const told = tell(line)
    if (told?.startsWith('Collecting')) collected++
    if (told) say(told.startsWith('Collecting') ? `${told} (${collected} of ${total})` : told)
  })
  const code = await ended
  if (signal?.aborted) throw new HoneError('CANCELLED', 'The set-up of the training environment was stopped.')
  if (code !== 0) throw pipError(complaints)
}

/** What of a line of pip's is worth telling: each package, each download, and the last long step. */
function tell(line: string): string | undefined {
  const collecting = /^(?:Collecting (\S+?)==(\S+)|Processing .*\/([A-Za-z0-9_.]+)-(\d[^-]*)-\S*\.whl)/.exec(line)
  if (collecting) return `Collecting ${collecting[1] ?? collecting[3]} ${collecting[2] ?? collecting[4]}`
  const download = /^\s*Downloading (\S+\/)?([A-Za-z0-9_.]+)-\d\S* \(([\d.]+ [MG]B)\)/.exec(line)
  if (download) return `Downloading ${download[2]} (${download[3]})`
  return line.startsWith('Installing collected packages') ? 'Installing the packages.' : undefined
}

/** What pip's complaints mean for a person. */
function pipError(complaints: readonly string[]): HoneError {
  const text = complaints.join('\n')
  const last =
    complaints.filter((line) => /^ERROR/.test(line)).at(-1) ?? complaints.at(-1) ?? 'pip ended without a word'
  const what = `The training environment could not be set up: ${last.replace(/^ERROR: /, '')}`
  if (/no space left/i.test(text)) return new HoneError('DISK_FULL', what)
  if (/connection|name resolution|timed out|no matching distribution|ssl/i.test(text)) {
    return new HoneError('NETWORK', what)
  }
  return new HoneError('PYTHON', what)
}

/** Removes what an interrupted or older set-up left, but never an environment that somebody else made. */
async function clear(venv: string): Promise<void> {
  const exists = await stat(venv).catch(() => undefined)
  if (exists && (await readMark(venv)) === undefined) {
    throw new HoneError('PYTHON', `${venv} was not made by Hone. Move it away, then try again.`)
  }
  await rm(venv, { recursive: true, force: true })
  await mkdir(venv, { recursive: true })
  const { bavail, bsize } = await statfs(venv)
  await writeFile(markFile(venv), 'making')
  if (bavail * bsize < neededBytes) {
    throw new HoneError('DISK_FULL', `The training environment needs about 3 GB free in ${venv}.`)
  }
}

function markFile(venv: string): string {
  return join(venv, 'hone-environment')
}

async function readMark(venv: string): Promise<string | undefined> {
  return readFile(markFile(venv), 'utf8').catch(() => undefined)
}

async function lockHash(requirements: string): Promise<string> {
  const text = await readFile(requirements, 'utf8')
  return createHash('sha256').update(text).digest('hex')
}

/** One set-up at a time; a lock whose process is gone counts for nothing. */
async function lock(venv: string): Promise<AsyncDisposable> {
  const path = `${venv}.lock`
  await mkdir(dirname(path), { recursive: true })
  const owner = Number(await readFile(path, 'utf8').catch(() => ''))
  if (owner && isAlive(owner)) {
    throw new HoneError('BUSY', `Process ${owner} is setting up the training environment.`)
  }
  await rm(path, { force: true })
  try {
    await using file = await open(path, 'wx')
    await file.write(String(process.pid))
  } catch (error) {
    throw asHoneError(error, 'BUSY', 'The training environment is being set up')
  }
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
