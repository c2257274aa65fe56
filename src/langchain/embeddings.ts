import { Embeddings } from '@langchain/core/embeddings'
import { HoneError } from '../errors.ts'
import type { Engine } from '../ports/engine.ts'

type Embed = NonNullable<Engine['embed']>

/**
 * An engine's vectors as LangChain embeddings.
 *
 * @throws HoneError ENGINE_MISSING when the engine has none.
 * @example const store = await MemoryVectorStore.fromDocuments(documents, asEmbeddings(engine))
 */
export function asEmbeddings(engine: Engine): Embeddings {
  if (!engine.embed) {
    throw new HoneError(
      'ENGINE_MISSING',
      `The engine of version ${engine.version.id} makes no embeddings. Set HONE_EMBED_MODEL to a model that does.`,
    )
  }
  return new HoneEmbeddings((texts, signal) => (engine.embed as Embed)(texts, signal))
}

/** A class because LangChain's embeddings are. */
class HoneEmbeddings extends Embeddings {
  readonly #embed: Embed

  constructor(embed: Embed) {
    super({})
    this.#embed = embed
  }

  override async embedDocuments(texts: string[]): Promise<number[][]> {
    return (await this.#embed(texts)).map((vector) => [...vector])
  }

  override async embedQuery(text: string): Promise<number[]> {
    return (await this.embedDocuments([text]))[0] ?? []
  }
}
