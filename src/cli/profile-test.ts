import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { declines } from '../../training/index.ts'
import { createBot } from '../bot.ts'
import type { Config } from '../config.ts'
import { asHoneError, HoneError } from '../errors.ts'
import { type Logger, silent } from '../log.ts'
import type { Reply } from '../ports/channel.ts'
import { type Case, parseCases, shortfalls, type TestFile } from '../prompt/cases.ts'
import { type Profile, readProfile } from '../prompt/profile.ts'
import { readValue } from '../prompt/value.ts'
import { sqlite } from '../store/index.ts'
import { localDesk } from './desk.ts'
import { ingestOne } from './ingest.ts'
import type { Output } from './output.ts'
import { openParts, type Parts, profileFile } from './parts.ts'

/** How one case went. */
export interface CaseResult {
  readonly name: string
  readonly pass: boolean
  /** What was expected and isn't so. */
  readonly failed: readonly string[]
  readonly text: string
  readonly cites: readonly string[]
}

export interface ProfileTest {
  /** File of cases. */
  readonly file: string | undefined
  /** Profile file, instead of the one that the cases name. */
  readonly profile: string | undefined
}

/**
 * `hone profile test CASES`: asks what the cases ask and says what isn't as expected; exit code 1 if anything isn't.
 *
 * Nothing is sampled (temperature 0), nothing is kept, and no back end is asked: a case's variables are its own, the
 * others have their defaults. Cases with documents have a data folder of their own and the base model, so they run
 * anywhere; those without ask the version that serves, over what was ingested.
 */
export async function testProfile(
  { file, profile }: ProfileTest,
  config: Config,
  output: Output,
  log: Logger,
): Promise<void> {
  if (!file) throw new HoneError('INPUT', 'Which cases? For example: hone profile test cases.yaml.')
  const cases = parseCases(await readText(file), file)
  const named = profile ?? (cases.profile && resolve(dirname(file), cases.profile)) ?? profileFile(config)
  const read = await readProfile(named)
  const documents = cases.documents?.map((path) => resolve(dirname(file), path))
  const results = await withData(documents, config, async (dataDir) => {
    await using parts = openParts({ ...config, dataDir }, log)
    for (const path of documents ?? []) await ingestOne(path, localDesk(parts))
    return await runCases(cases, read, parts, output)
  })
  const failed = results.filter(({ pass }) => !pass).length
  const text = `${results.length - failed} of ${results.length} cases pass with ${read.name}@${read.version}.`
  output.result(text, { profile: read.version, passed: results.length - failed, failed, cases: results })
  if (failed > 0) process.exitCode = 1
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw asHoneError(error, 'CONFIG', `The cases ${file} can't be read`)
  })
}

async function withData<T>(
  documents: readonly string[] | undefined,
  { dataDir }: Config,
  work: (dataDir: string) => Promise<T>,
): Promise<T> {
  if (!documents) return work(dataDir)
  const dir = await mkdtemp(join(tmpdir(), 'hone-cases-'))
  try {
    return await work(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function runCases(
  { cases }: TestFile,
  profile: Profile,
  parts: Parts,
  output: Output,
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  for (const one of cases) {
    const result = await runCase(one, profile, parts)
    output.say([`${result.pass ? '✔' : '✖'} ${result.name}`, ...failureLines(result)].join('\n'))
    results.push(result)
  }
  return results
}

function failureLines({ pass, failed, text }: CaseResult): readonly string[] {
  return pass ? [] : [...failed.map((what) => `    ${what}`), `    reply: ${text}`]
}

async function runCase(one: Case, profile: Profile, parts: Parts): Promise<CaseResult> {
  const name = one.name ?? one.input
  refuseUnfit(one, profile, name)
  await using store = await sqlite(':memory:')
  const greedy = { ...profile, tools: {}, sampling: { ...profile.sampling, temperature: 0 } }
  const variables = Object.fromEntries(
    Object.keys(profile.variables).map((variable) => [variable, () => one.variables[variable]]),
  )
  const slot = await parts.slot()
  const knowledge = await parts.knowledge()
  await using bot = await createBot({ store, slot, knowledge, profile: greedy, variables, log: silent })
  const asked = {
    ...(one.tenant === undefined ? {} : { tenant: one.tenant }),
    ...(one.person === undefined ? {} : { person: { id: one.person, name: one.person } }),
  }
  let reply: Reply | undefined
  for await (const event of bot.ask(one.input, asked)) {
    if (event.kind === 'error') return { name, pass: false, failed: [event.message], text: '', cites: [] }
    if (event.kind === 'done') reply = event.reply
  }
  const { text = '', sources = [] } = reply ?? {}
  const turn = reply && (await store.turns.get(reply.turn))
  const output = turn?.role === 'assistant' && turn.output && 'values' in turn.output ? turn.output.values : undefined
  const failed = shortfalls(one, { text, sources, declines: declines(text), ...(output ? { output } : {}) })
  return { name, pass: failed.length === 0, failed, text, cites: sources.map(({ document }) => document) }
}

/** A case with a mistake in it must not pass on a default. */
function refuseUnfit({ variables, expect }: Case, profile: Profile, name: string): void {
  const unknown = Object.keys(expect.output ?? {}).find((wanted) => !Object.hasOwn(profile.output, wanted))
  if (unknown !== undefined)
    throw new HoneError(
      'CONFIG',
      `The case "${name}" expects "${unknown}": ${profile.name} has no such output variable.`,
    )
  for (const [given, value] of Object.entries(variables)) {
    const variable = Object.hasOwn(profile.variables, given) ? profile.variables[given] : undefined
    const refuse = (why: string) => new HoneError('CONFIG', `The case "${name}" sets "${given}": ${why}`)
    if (!variable) throw refuse(`${profile.name} declares no such variable.`)
    try {
      readValue(variable, value)
    } catch (error) {
      throw refuse(error instanceof Error ? error.message : String(error))
    }
  }
}
