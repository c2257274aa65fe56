import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { asHoneError, HoneError } from '../errors.ts'
import { createBar } from './bar.ts'
import type { Output } from './output.ts'

/** Short names for models that are known to work; anything else is `hf:owner/repo/file.gguf` or a URL. */
const catalogue: Readonly<Record<string, string>> = {
  'qwen2.5-0.5b': 'hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf',
  'qwen2.5-1.5b': 'hf:Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf',
  'qwen2.5-3b': 'hf:Qwen/Qwen2.5-3B-Instruct-GGUF/qwen2.5-3b-instruct-q4_k_m.gguf',
}

/** `hone models pull NAME|hf:…`: fetches a GGUF with progress; an interrupted download goes on where it stopped. */
export async function pullModel(what: string, name: string, { dataDir }: Config, output: Output): Promise<void> {
  if (what !== 'pull')
    throw new HoneError('INPUT', `\`hone models ${what}\` is not known; there is \`hone models pull NAME\`.`)
  const uri = catalogue[name] ?? name
  if (!/^(hf|https?):/.test(uri)) {
    throw new HoneError(
      'INPUT',
      `No model is named ${name}. Known: ${Object.keys(catalogue).join(', ')}; or hf:OWNER/REPO/FILE.gguf.`,
    )
  }
  const dirPath = join(dataDir, 'models')
  await mkdir(dirPath, { recursive: true })
  const { createModelDownloader } = await import('node-llama-cpp')
  const bar = createBar(name)
  try {
    const downloader = await createModelDownloader({
      modelUri: uri,
      dirPath,
      showCliProgress: false,
      onProgress: ({ downloadedSize, totalSize }) =>
        bar.update(Math.round(downloadedSize / 2 ** 20), Math.round(totalSize / 2 ** 20), 'MB'),
    })
    const file = await downloader.download()
    await refuseBroken(file)
    output.result(
      `Saved to ${file}\nPut HONE_MODEL=${file} into .env. To train it, set HONE_TRAIN_MODEL to its Hugging Face folder.`,
      { file },
    )
  } catch (error) {
    throw asHoneError(error, 'NETWORK', `${uri} could not be fetched`)
  } finally {
    bar.stop()
  }
}

/** What came may be a sign-in page or half a model; left there, the next pull would take it for the model. */
async function refuseBroken(file: string): Promise<void> {
  const { checkModel } = await import('../engines/llama/check.ts')
  await checkModel(file).catch(async (error: unknown) => {
    await rm(file, { force: true })
    throw error
  })
}
