// Builds faiss-node against the FAISS of this machine, for `import 'faiss-node'` here and in LangChain's FaissStore.
//
//   node scripts/build-faiss.mjs [--into FOLDER]     FOLDER: a node_modules folder, ./node_modules unless told
//
// The npm package faiss-node fetches a ready-made library from a place that not every machine reaches, or compiles all
// of FAISS. Where Debian's FAISS is installed, compiling the package's own source file against it takes seconds.
// Exit codes: 0 FAISS can be used; 3 something is missing (Hone then uses usearch); 1 the build failed.
// Plain JavaScript for any Node from 18 on.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const version = '0.5.1'
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const say = (text) => console.error(`faiss: ${text}`)

/** FAISS before 1.7.4 has its id type inside the class Index; faiss-node wants it beside the class. */
const compatHeader = '#include <faiss/Index.h>\nnamespace faiss { using idx_t = Index::idx_t; }\n'

function main(args) {
  const into = resolve(args[0] === '--into' && args[1] ? args[1] : join(root, 'node_modules'))
  const target = join(into, 'faiss-node')
  if (loads(target)) {
    say('is already there.')
    return 0
  }
  const missing = whatIsMissing(into)
  if (missing.length > 0) {
    say(`can't be built here; Hone uses usearch instead, which finds the same passages. Missing:`)
    for (const line of missing) say(`  - ${line}`)
    return 3
  }
  const cache = join(root, '.cache', 'faiss', key())
  if (!existsSync(cache)) build(cache, into)
  else say('takes the build from before.')
  rmSync(target, { recursive: true, force: true })
  cpSync(cache, target, { recursive: true })
  if (!loads(target)) throw new Error(`${target} was built but can't be loaded.`)
  say(`is ready in ${target}.`)
  return 0
}

/** True when the package in this folder works: an index finds what was put in. In a process of its own, for it may crash. */
function loads(folder) {
  if (!existsSync(join(folder, 'package.json'))) return false
  const test = `const { IndexFlatIP } = require(process.argv[1]); const index = new IndexFlatIP(2);
    index.add([1, 0, 0, 1]); process.exit(index.search([0, 1], 1).labels[0] === 1 ? 0 : 1)`
  try {
    execFileSync(process.execPath, ['-e', test, folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function whatIsMissing(into) {
  const missing = []
  if (process.platform !== 'linux')
    missing.push('Linux: elsewhere try `npm install faiss-node`, which fetches a ready-made one.')
  if (!compiler()) missing.push('a C++ compiler: `sudo apt-get install g++`')
  if (!existsSync('/usr/include/faiss/Index.h') || !library('libfaiss.a')) {
    missing.push('FAISS: `sudo apt-get install libfaiss-dev`')
  }
  if (!library('libopenblas.so')) missing.push('OpenBLAS: `sudo apt-get install libopenblas-dev`')
  for (const name of ['node-addon-api', 'node-api-headers', 'bindings']) {
    if (!headers(into, name)) missing.push(`the npm package ${name}: \`npm install\``)
  }
  return missing
}

function compiler() {
  return ['g++', 'clang++'].find((name) => {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
}

/** Debian keeps libraries in a folder named after the machine's kind. */
function library(name) {
  const folders = [
    '/usr/lib',
    ...readdirSync('/usr/lib')
      .filter((one) => one.includes('-linux-'))
      .map((one) => `/usr/lib/${one}`),
  ]
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

function headers(into, name) {
  return [into, join(root, 'node_modules')].map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** Another FAISS or another kind of machine is another build. */
function key() {
  const about = [version, process.platform, process.arch, readFileSync('/usr/include/faiss/Index.h', 'utf8')]
  return createHash('sha256').update(about.join('\n')).digest('hex').slice(0, 16)
}

function build(cache, into) {
  mkdirSync(dirname(cache), { recursive: true })
  const work = mkdtempSync(`${cache}-`)
  try {
    say(`gets the source of faiss-node ${version} from the npm registry …`)
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    const packed = execFileSync(npm, ['pack', `faiss-node@${version}`, '--silent'], { cwd: work, encoding: 'utf8' })
    execFileSync('tar', ['xzf', packed.trim().split('\n').at(-1)], { cwd: work })
    const source = join(work, 'package')
    writeFileSync(join(source, 'compat.h'), isOld() ? compatHeader : '')
    say('compiles it against the FAISS of this machine (some seconds) …')
    mkdirSync(join(source, 'build', 'Release'), { recursive: true })
    compile(source, into)
    for (const name of ['examples', 'test', 'src']) rmSync(join(source, name), { recursive: true, force: true })
    renameSync(source, cache)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function isOld() {
  const text = readFileSync('/usr/include/faiss/Index.h', 'utf8')
  const number = (name) => Number(new RegExp(`FAISS_VERSION_${name} (\\d+)`).exec(text)?.[1] ?? 0)
  const found = number('MAJOR') * 1e6 + number('MINOR') * 1e3 + number('PATCH')
  return found < 1_007_004
}

function compile(source, into) {
  const output = join(source, 'build', 'Release', 'faiss-node.node')
  const include = [join(headers(into, 'node-api-headers'), 'include'), headers(into, 'node-addon-api')]
  const args = [
    '-std=c++17',
    '-O2',
    '-fPIC',
    '-shared',
    '-fopenmp',
    '-w',
    '-DNAPI_VERSION=8',
    '-DBUILDING_NODE_EXTENSION',
  ]
  args.push(...include.map((folder) => `-I${folder}`), '-include', join(source, 'compat.h'))
  args.push(join(source, 'src', 'faiss.cc'), '-o', output, library('libfaiss.a'), '-lopenblas', '-lgomp')
  try {
    execFileSync(compiler(), args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
  } catch (error) {
    throw new Error(
      `the compiler stopped:\n${String(error.stderr ?? error)
        .split('\n')
        .slice(0, 15)
        .join('\n')}`,
    )
  }
}

try {
  process.exitCode = main(process.argv.slice(2))
} catch (error) {
  say(`could not be built; Hone uses usearch instead. ${error.message}`)
  process.exitCode = 1
}
