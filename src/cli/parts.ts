import { join } from 'node:path'
import { openKnowledge, withEveryone } from '../../knowledge/index.ts'
import {
  createLearning,
  type Forgotten,
  forgetInTraining,
  openRegistry,
  pythonTrainer,
  type Registry,
} from '../../training/index.ts'
import { createBot } from '../bot.ts'
import type { Config } from '../config.ts'
import { http } from '../engines/http/index.ts'
import { llama, templateSha256 } from '../engines/llama/index.ts'
import type { Logger } from '../log.ts'
import type { Bot } from '../ports/bot.ts'
import type { Engine, EngineSlot, LoadEngine, Version } from '../ports/engine.ts'
import type { Knowledge } from '../ports/knowledge.ts'
import type { Learning } from '../ports/learning.ts'
import type { Store } from '../ports/store.ts'
import { type Profile, readProfile } from '../prompt/profile.ts'
import type { Resolvers } from '../prompt/variables.ts'
import { createSlot } from '../slot.ts'
import { lockDataDir, sqlite } from '../store/index.ts'
import { chooseEmbedder } from './embedder.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { chooseModel, type ModelChoice, packageRoot } from './model.ts'

/** Opens the parts of a running Hone, each when it is first asked for, and closes them in reverse. */
export interface Parts extends AsyncDisposable {
  readonly config: Config
  model(): ModelChoice
  store(): Promise<Store>
  slot(): Promise<EngineSlot>
  knowledge(): Promise<Knowledge>
  registry(): Promise<Registry>
  learning(): Promise<Learning>
  profile(): Promise<Profile>
  bot(variables?: Resolvers): Promise<Bot>
  readonly metrics: Metrics
  /** Deletes everything of a person; where the learning loop is up, it retrains if a version had seen some of it. */
  forget(person: string): Promise<Forgotten & { readonly rows: number }>
}

/**
 * The composition root: which part is made of what.
 *
 * @throws HoneError DATA_LOCKED when another Hone has the data folder; MODEL_FILE, CONFIG as the settings deserve.
 * @example await using parts = openParts(readConfig(), log); const bot = await parts.bot()
 */
export function openParts(config: Config, log: Logger): Parts {
  const stack = new AsyncDisposableStack()
  stack.use(lockDataDir(config.dataDir))
  const metrics = createMetrics()
  const model = (): ModelChoice => chooseModel(config)
  const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
    let made: Promise<T> | undefined
    return () => {
      made ??= make()
      return made
    }
  }

  const store = once(async () => stack.use(await sqlite(join(config.dataDir, 'hone.db'))))
  // A server doesn't say which template it uses.
  const template = once(async () => (config.engineUrl ? {} : servedTemplate(model())))
  const registry = once(async () => openRegistry(join(config.dataDir, 'versions'), await template()))
  const profile = once(() => readProfile(config.profile || join(packageRoot, 'examples', 'profile.md')))
  const host = once(async () =>
    stack.use(
      await llama({
        modelPath: model().base,
        parallel: config.parallel,
        log,
        ...(config.contextTokens ? { contextTokens: config.contextTokens } : {}),
      }),
    ),
  )
  const loader = once(
    async (): Promise<LoadEngine> => (config.engineUrl ? http(httpOptions(config, log)) : (await host()).load),
  )
  const slot = once(async () => {
    const first = await firstVersion(await store(), await registry(), model(), log)
    return stack.use(await createSlot({ load: await loader(), first, log }))
  })
  const knowledge = once(async () => {
    const embedder = await chooseEmbedder({ config, host, log, stack })
    return stack.use(
      withEveryone(
        await openKnowledge({ dir: join(config.dataDir, 'knowledge'), log, ...(embedder ? { embedder } : {}) }),
      ),
    )
  })
  let loop: Learning | undefined
  const learning = once(async () => {
    const { base, trainFolder } = model()
    const trainer = pythonTrainer({ dataDir: config.dataDir, log, ...(config.python ? { python: config.python } : {}) })
    const made = await createLearning({
      store: await store(),
      slot: await slot(),
      registry: await registry(),
      trainer,
      log,
      dataDir: config.dataDir,
      base,
      trainOn: config.trainOn,
      ...(await template()),
      ...(trainFolder ? { model: trainFolder } : {}),
      ...(config.teacher.url ? { teacher: teacherOf(config, log) } : {}),
      ...(config.schedule ? { schedule: config.schedule } : {}),
    })
    loop = stack.use(made)
    return loop
  })
  const onForget = async (person: string) => {
    const kept = { store: await store(), registry: await registry(), dataDir: config.dataDir }
    return forgetInTraining(person, { ...kept, ...(loop ? { learning: loop } : {}) })
  }
  const bot = async (variables: Resolvers = {}): Promise<Bot> =>
    stack.use(
      await createBot({
        store: await store(),
        slot: await slot(),
        profile: await profile(),
        log,
        knowledge: await knowledge(),
        learning: await learning(),
        variables,
        duelRate: config.duelRate,
        trainOn: config.trainOn,
        onForget,
        meter: metrics.meter,
      }),
    )
  return {
    config,
    model,
    store,
    slot,
    knowledge,
    registry,
    learning,
    profile,
    bot,
    metrics,
    async forget(person) {
      const rows = await (await store()).feedback.forget(person)
      return { rows, ...(await onForget(person)) }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Which chat template a LoRA must have been trained with. */
async function servedTemplate({ base }: ModelChoice): Promise<{ readonly templateSha256?: string }> {
  const hash = await templateSha256(base)
  return hash === undefined ? {} : { templateSha256: hash }
}

/** The version that served last; the bare base when it is gone or was made for another model. */
async function firstVersion(store: Store, registry: Registry, { base }: ModelChoice, log: Logger): Promise<Version> {
  const id = await store.serving.current()
  if (id === 'v0') return { id, base }
  try {
    return await registry.toVersion(id, base)
  } catch (error) {
    log.warn('version.unusable', { version: id, error })
    return { id: 'v0', base }
  }
}

/** Loads the teacher for as long as it is needed. */
function teacherOf({ teacher }: Config, log: Logger) {
  const { url, key, model } = teacher
  const load = http({ url, model, log, ...(key ? { key } : {}) })
  return async <T>(work: (engine: Engine) => Promise<T>): Promise<T> => {
    await using engine = await load({ id: 'v0', base: model })
    return await work(engine)
  }
}

function httpOptions({ engineUrl, engineKey, model, contextTokens }: Config, log: Logger) {
  return {
    url: engineUrl,
    model,
    log,
    ...(engineKey ? { key: engineKey } : {}),
    ...(contextTokens ? { contextTokens } : {}),
  }
}
