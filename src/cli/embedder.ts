import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Embedder, type EmbedTexts, embedFunction, staticEmbedder, wordEmbedder } from '../../knowledge/index.ts'
import { fileSha256 } from '../../training/index.ts'
import type { Config } from '../config.ts'
import { httpEmbedder } from '../engines/http/index.ts'
import { type LlamaHost, llama, readTokenEmbeddings } from '../engines/llama/index.ts'
import { HoneError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { chooseModel } from './model.ts'

/** What an embedder is made from. */
export interface Embedding {
  readonly config: Config
  readonly host: () => Promise<LlamaHost>
  readonly log: Logger
  /** Closes what the embedder holds. */
  readonly stack: AsyncDisposableStack
}

/**
 * A configured embedder, else the table of words beside the serving model, else that model's own token embeddings; words
 * alone behind a server without one. Its id is the hash of the file's bytes: a moved file keeps its vectors, another file
 * in its place is embedded anew.
 *
 * @throws HoneError CONFIG for a HONE_EMBED_MODEL that embeds nothing, MODEL_FILE for one that can't be read
 */
export async function chooseEmbedder({ config, host, log, stack }: Embedding): Promise<Embedder | undefined> {
  const { embedModel, engineUrl } = config
  if (/^https?:/.test(embedModel)) return serverEmbedder(config, log)
  if (embedModel) return ggufEmbedder(config, log, stack)
  if (engineUrl) return undefined
  const trained = join(dirname(chooseModel(config).base), 'embedder.gguf')
  if (existsSync(trained)) return tableEmbedder(trained, config, stack)
  const { modelPath, tokenize } = await host()
  const rows = stack.use(await readTokenEmbeddings(modelPath))
  return staticEmbedder({ id: await hashOf(modelPath, config), tokenize, rows })
}

/** `URL#MODEL`: an OpenAI-style embeddings endpoint. */
async function serverEmbedder({ embedModel, engineKey }: Config, log: Logger): Promise<Embedder> {
  const [url = '', name] = embedModel.split('#')
  const embed = httpEmbedder({ url, log, ...(name ? { model: name } : {}), ...(engineKey ? { key: engineKey } : {}) })
  return embedFunction({ id: embedModel, width: await widthOf(embed), embed })
}

/** A trained table of words, as `training/python/starter_embed.py` makes it. */
async function tableEmbedder(path: string, config: Config, stack: AsyncDisposableStack): Promise<Embedder> {
  const rows = stack.use(await readTokenEmbeddings(path))
  if (rows.tokens.length !== rows.rows) {
    throw new HoneError('MODEL_FILE', `${path} names ${rows.tokens.length} words for ${rows.rows} rows. Make it again.`)
  }
  return wordEmbedder({ id: await hashOf(path, config), tokens: rows.tokens, rows })
}

/** An embedding model as a GGUF file, in a process of its own. */
async function ggufEmbedder(config: Config, log: Logger, stack: AsyncDisposableStack): Promise<Embedder> {
  const modelPath = resolve(config.embedModel)
  const engine = stack.use(await stack.use(llama({ modelPath, log })).load({ id: 'v0', base: modelPath }))
  const embed = engine.embed?.bind(engine)
  if (!embed) throw new HoneError('CONFIG', `HONE_EMBED_MODEL is ${config.embedModel}, which is no embedding model.`)
  return embedFunction({ id: await hashOf(modelPath, config), width: await widthOf(embed), embed })
}

function hashOf(modelPath: string, { dataDir }: Config): Promise<string> {
  return fileSha256(modelPath, join(dataDir, 'embedder.json'))
}

async function widthOf(embed: EmbedTexts): Promise<number> {
  const [probe] = await embed(['How wide are the vectors?'])
  return probe?.length ?? 0
}
