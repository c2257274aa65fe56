export { type LlamaHost, llama } from './host.ts'
export { templateSha256 } from './served-template.ts'
export { readTokenEmbeddings, type TokenEmbeddings } from './token-embeddings.ts'
export type { LlamaOptions } from './workers.ts'
