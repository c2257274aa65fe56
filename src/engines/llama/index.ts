export { type LlamaHost, type LlamaOptions, llama } from './host.ts'
export { readTokenEmbeddings, type TokenEmbeddings } from './token-embeddings.ts'
