/** Hone's parts as LangChain's: what a program that is built on LangChain takes from here. */
export { type HoneCallOptions, HoneChatModel } from './chat-model.ts'
export { asEmbeddings } from './embeddings.ts'
export { asRetriever, type RetrieverOptions } from './retriever.ts'
export { asRunnable, type Question } from './runnable.ts'
