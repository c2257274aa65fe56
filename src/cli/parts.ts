import { join } from 'node:path'
import { openKnowledge, withEveryone } from '../../knowledge/index.ts'
import {
  createExamples,
  createLearning,
  createReceipts,
  declines,
  externalTrainer,
  type Forgotten,
  forgetInTraining,
  openRegistry,
  pythonTrainer,
  type Receipts,
  type Registry,
  taughtBy,
} from '../../training/index.ts'
import { type BotOptions, createBot } from '../bot.ts'
import type { Config } from '../config.ts'
import { http } from '../engines/http/index.ts'
import { llama, templateSha256 } from '../engines/llama/index.ts'
import type { Logger } from '../log.ts'
import type { Bot } from '../ports/bot.ts'
import type { Engine, EngineSlot, LoadEngine } from '../ports/engine.ts'
import type { Examples } from '../ports/examples.ts'
import type { Knowledge } from '../ports/knowledge.ts'
import type { Learning } from '../ports/learning.ts'
import type { Replays } from '../ports/replay.ts'
import type { Store } from '../ports/store.ts'
import { openProfiles, type ProfileShelf } from '../profiles.ts'
import { httpBackend } from '../prompt/backend.ts'
import { readProfile } from '../prompt/profile.ts'
import { createReplays } from '../replay/replays.ts'
import { lockDataDir, sqlite } from '../store/index.ts'
import { openServers, readServers } from '../tools/mcp-file.ts'
import { chooseEmbedder } from './embedder.ts'
import { createIngests, type Ingests } from './ingests.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { chooseModel, type ModelChoice, packageRoot } from './model.ts'
import { promptFacts } from './prompt-facts.ts'
import { openSlot } from './serving.ts'

/** Opens the parts of a running Hone, each when it is first asked for, and closes them in reverse. */
export interface Parts extends AsyncDisposable {
  readonly config: Config
  model(): ModelChoice
  store(): Promise<Store>
  slot(): Promise<EngineSlot>
  knowledge(): Promise<Knowledge>
  ingests(): Promise<Ingests>
  registry(): Promise<Registry>
  learning(): Promise<Learning>
  profiles(): Promise<ProfileShelf>
  replays(): Promise<Replays>
  bot(given?: Pick<BotOptions, 'variables' | 'tools'>): Promise<Bot>
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
  const profiles = once(async () =>
    openProfiles({ store: await store(), file: await readProfile(profileFile(config)), log }),
  )
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
    const known = { config, store: await store(), registry: await registry(), base: model().base }
    return stack.use(await openSlot({ ...known, load: await loader(), log }))
  })
  const knowledge = once(async () => {
    const embedder = await chooseEmbedder({ config, host, log, stack })
    return stack.use(
      withEveryone(
        await openKnowledge({ dir: join(config.dataDir, 'knowledge'), log, ...(embedder ? { embedder } : {}) }),
      ),
    )
  })
  const ingests = once(async () => stack.use(createIngests(await knowledge(), log)))
  let loop: Learning | undefined
  // Once there is a bot that can tell people something.
  let receipts: Receipts | undefined
  const learning = once(async () => {
    const { base, trainFolder } = model()
    const { trainCommand: command, trainProcesses: processes } = config
    const python = { dataDir: config.dataDir, log, processes, ...(config.python ? { python: config.python } : {}) }
    const prompts = promptFacts(profiles, store)
    const trainer = command ? externalTrainer({ ...python, command }) : pythonTrainer(python)
    const made = await createLearning({
      store: await store(),
      slot: await slot(),
      registry: await registry(),
      trainer,
      log,
      dataDir: config.dataDir,
      base,
      trainOn: config.trainOn,
      policy: { pooled: config.tenants.pooled },
      ...(await template()),
      ...(trainFolder ? { model: trainFolder } : {}),
      ...(config.teacher.url ? { teacher: teacherOf(config, log) } : {}),
      onPromoted: (version, whose) => receipts?.promoted(version, whose),
      live: config.canary,
      ...(config.schedule ? { schedule: config.schedule } : {}),
      prompts,
      bot: {
        exampleMessages: prompts.exampleMessages,
        learn: async () => ((await profiles()).serving.learn === 'tenant' ? 'tenant' : 'own'),
        embed: async () => (await knowledge()).embed,
      },
    })
    loop = stack.use(made)
    return loop
  })
  // Forgetting empties them where they are up, and must not open a model for it.
  let told: Examples | undefined
  const examples = once(async () => {
    const { embed } = await knowledge()
    if (!embed) {
      log.info('examples.off', { why: 'Similar questions are found with an embedder only: set HONE_EMBED_MODEL.' })
      return undefined
    }
    told = createExamples({
      store: await store(),
      knowledge: await knowledge(),
      embed,
      trainOn: config.trainOn,
      learnedBy: taughtBy(await registry()),
    })
    return told
  })
  let replayed: Replays | undefined
  const replays = once(async () => {
    replayed = createReplays({
      store: await store(),
      slot: await slot(),
      knowledge: await knowledge(),
      profiles: await profiles(),
      channels: config.trainOn,
      declines,
      log,
    })
    stack.defer(() => replayed?.clear())
    return replayed
  })
  const onForget = async (person: string) => {
    told?.clear()
    replayed?.clear()
    await (await profiles()).refresh()
    const kept = { store: await store(), registry: await registry(), dataDir: config.dataDir }
    return forgetInTraining(person, { ...kept, apart: !config.tenants.pooled, ...(loop ? { learning: loop } : {}) })
  }
  const mcpTools = once(async () => {
    if (!config.mcp) return []
    return stack.use(await openServers(await readServers(config.mcp, config.named))).tools
  })
  const makeBot = async (given: Pick<BotOptions, 'variables' | 'tools'>): Promise<Bot> => {
    const judged = await examples()
    const made = stack.use(
      await createBot({
        store: await store(),
        slot: await slot(),
        profile: (await profiles()).serving,
        profiles: await profiles(),
        log,
        knowledge: await knowledge(),
        learning: await learning(),
        replays: await replays(),
        ...given,
        tools: [...(given.tools ?? []), ...(await mcpTools())],
        backend: config.backend.url ? httpBackend(config.backend) : undefined,
        duelRate: config.duelRate,
        trainOn: config.trainOn,
        onForget,
        adminChannel: config.adminChannel,
        meter: metrics.meter,
        limits: config.limits,
        receipts: config.receipts > 0,
        ...(judged ? { examples: judged } : {}),
      }),
    )
    if (config.receipts > 0) {
      const engines = await slot()
      const known = { store: await store(), registry: await registry(), base: model().base, trainOn: config.trainOn }
      const slotOf = async (whose = '') => (await engines.of?.(whose)) ?? engines
      receipts = stack.use(createReceipts({ ...known, slotOf, most: config.receipts, tell: made.tell, log }))
    }
    return made
  }
  let made: Promise<Bot> | undefined
  const bot = (given: Pick<BotOptions, 'variables' | 'tools'> = {}): Promise<Bot> => {
    made ??= makeBot(given)
    return made
  }
  return {
    config,
    model,
    store,
    slot,
    knowledge,
    ingests,
    registry,
    learning,
    profiles,
    replays,
    bot,
    metrics,
    async forget(person) {
      const rows = await (await store()).feedback.forget(person)
      return { rows, ...(await onForget(person)) }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** The file that the bot's profile is in. */
export function profileFile({ profile }: Config): string {
  return profile || join(packageRoot, 'examples', 'profile.md')
}

/** Which chat template a LoRA must have been trained with. */
async function servedTemplate({ base }: ModelChoice): Promise<{ readonly templateSha256?: string }> {
  const hash = await templateSha256(base)
  return hash === undefined ? {} : { templateSha256: hash }
}

/** Loads the teacher for as long as it is needed. */
export function teacherOf({ teacher }: Config, log: Logger) {
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
