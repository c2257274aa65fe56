import { join, resolve } from 'node:path'
import {
  type Embedder,
  type EmbedTexts,
  embedFunction,
  openKnowledge,
  staticEmbedder,
  withEveryone,
} from '../../knowledge/index.ts'
import { createLearning, forgetInTraining, openRegistry, pythonTrainer, type Registry } from '../../training/index.ts'
import { createBot } from '../bot.ts'
import type { Config } from '../config.ts'
import { http, httpEmbedder } from '../engines/http/index.ts'
import { type LlamaHost, llama, readTokenEmbeddings } from '../engines/llama/index.ts'
import { HoneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Bot } from '../ports/bot.ts'
import type { EngineSlot, LoadEngine, Version } from '../ports/engine.ts'
import type { Knowledge } from '../ports/knowledge.ts'
import type { Learning } from '../ports/learning.ts'
import type { Store } from '../ports/store.ts'
import { type Profile, readProfile } from '../prompt/profile.ts'
import type { Resolvers } from '../prompt/variables.ts'
import { createSlot } from '../slot.ts'
import { lockDataDir, sqlite } from '../store/index.ts'
import { chooseModel, type ModelChoice, packageRoot } from './model.ts'

/** Opens the parts of a running Hone, each when it is first asked for, and closes them in reverse. */
export interface Parts extends AsyncDisposable {
  readonly config: Config
  model(): ModelChoice
  store(): Promise<Store>
  slot(): Promise<EngineSlot>
  knowledge(): Promise<Knowledge>
  learning(): Promise<Learning>
  profile(): Promise<Profile>
  bot(variables?: Resolvers): Promise<Bot>
  /** Deletes what training kept of a person and names the versions that had seen it. */
  forget(person: string): Promise<unknown>
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
  const model = (): ModelChoice => chooseModel(config)
  const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
    let made: Promise<T> | undefined
    return () => {
      made ??= make()
      return made
    }
  }

  const store = once(async () => stack.use(await sqlite(join(config.dataDir, 'hone.db'))))
  const registry = once(() => openRegistry(join(config.dataDir, 'versions')))
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
      ...(trainFolder ? { model: trainFolder } : {}),
      ...(config.schedule ? { schedule: config.schedule } : {}),
    })
    return stack.use(made)
  })
  const forget = async (person: string) => forgetInTraining(person, config.dataDir, await registry())
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
        onForget: forget,
      }),
    )
  return {
    config,
    model,
    store,
    slot,
    knowledge,
    learning,
    profile,
    bot,
    forget,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
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

function httpOptions({ engineUrl, engineKey, model, contextTokens }: Config, log: Logger) {
  return {
    url: engineUrl,
    model,
    log,
    ...(engineKey ? { key: engineKey } : {}),
    ...(contextTokens ? { contextTokens } : {}),
  }
}

/** A configured embedder, else the serving model's own token embeddings; words alone behind a server without one. */
async function chooseEmbedder({ config, host, log, stack }: Embedding): Promise<Embedder | undefined> {
  const { embedModel, engineUrl } = config
  if (/^https?:/.test(embedModel)) return serverEmbedder(config, log)
  if (embedModel) return ggufEmbedder(embedModel, log, stack)
  if (engineUrl) return undefined
  const { modelPath, tokenize } = await host()
  const rows = stack.use(await readTokenEmbeddings(modelPath))
  return staticEmbedder({ id: modelPath, tokenize, rows })
}

interface Embedding {
  readonly config: Config
  readonly host: () => Promise<LlamaHost>
  readonly log: Logger
  readonly stack: AsyncDisposableStack
}

/** `URL#MODEL`: an OpenAI-style embeddings endpoint. */
async function serverEmbedder({ embedModel, engineKey }: Config, log: Logger): Promise<Embedder> {
  const [url = '', name] = embedModel.split('#')
  const embed = httpEmbedder({ url, log, ...(name ? { model: name } : {}), ...(engineKey ? { key: engineKey } : {}) })
  return embedFunction({ id: embedModel, width: await widthOf(embed), embed })
}

/** An embedding model as a GGUF file, in a process of its own. */
async function ggufEmbedder(file: string, log: Logger, stack: AsyncDisposableStack): Promise<Embedder> {
  const modelPath = resolve(file)
  const engine = stack.use(await stack.use(llama({ modelPath, log })).load({ id: 'v0', base: modelPath }))
  const embed = engine.embed?.bind(engine)
  if (!embed) throw new HoneError('CONFIG', `HONE_EMBED_MODEL is ${file}, which is no embedding model.`)
  return embedFunction({ id: modelPath, width: await widthOf(embed), embed })
}

async function widthOf(embed: EmbedTexts): Promise<number> {
  const [probe] = await embed(['How wide are the vectors?'])
  return probe?.length ?? 0
}
