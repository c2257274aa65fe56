import { registerHooks } from 'node:module'

interface Patch {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** Each defence by what takes it out of the source while that is loaded. The product has no switch for any of them. */
export const defences = {
  /** The marks of blocks are broken in everything that Hone didn't write. */
  marks: [
    { file: 'src/prompt/marks.ts', from: "return text.replace(looksLikeMark, '‹')", to: 'return text' },
    { file: 'src/prompt/marks.ts', from: "return text.replace(looksLikeBlock, '‹')", to: 'return text' },
    { file: 'src/prompt/value.ts', from: ".replace(/[<＜﹤]/g, '‹')", to: '' },
    { file: 'src/prompt/value.ts', from: ".replace(/[>＞﹥]/g, '›')", to: '' },
  ],
  /** Only values that the author has foreseen stand in the system message. */
  facts: [{ file: 'src/prompt/value.ts', from: "return type !== 'text' || choices !== undefined", to: 'return true' }],
  /** Values and what tools answer stay on one line. */
  line: [{ file: 'src/prompt/value.ts', from: ".replace(/[\\s\\p{Cc}]+/gu, ' ')", to: '' }],
  /** What people write becomes no special token. */
  tokens: [
    {
      file: 'src/engines/llama/template.ts',
      from: 'const candidates = lengths.get(text.charAt(at))',
      to: 'const candidates = [] as number[]',
    },
  ],
  /** A person is offered the tools that they may use. */
  permission: [{ file: 'src/tools/toolbox.ts', from: "admin || rule.for === 'everybody'", to: 'true' }],
  /** What changes something is asked for first. */
  asking: [{ file: 'src/tools/use.ts', from: 'if (rule.changes) {', to: 'if (false as boolean) {' }],
} as const satisfies Readonly<Record<string, readonly Patch[]>>

export type Defence = keyof typeof defences
export const allDefences = Object.keys(defences) as readonly Defence[]

const root = new URL('../../', import.meta.url)
const src = new URL('src/', root).href
const here = new URL('./', import.meta.url).href

/**
 * Loads a file of this folder anew, with all of Hone that it stands on, and takes defences out of the source of that copy
 * while it is loaded. The copy that is loaded already has them all.
 *
 * @throws Error when a module has changed so that the defence isn't where it was.
 * @example const { tries } = await copyWithout<typeof import('./tries.ts')>('tries.ts', ['marks'])
 */
export async function copyWithout<Module>(file: string, names: readonly Defence[]): Promise<Module> {
  const patches: readonly Patch[] = names.flatMap((name): readonly Patch[] => defences[name])
  const query = `?without=${names.join('+')}`
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context)
      const ours = [src, here].some((folder) => found.url.startsWith(folder))
      return ours && context.parentURL?.endsWith(query) ? { ...found, url: found.url + query } : found
    },
    load(url, context, next) {
      const loaded = next(url, context)
      const mine = url.endsWith(query) ? patches.filter(({ file: one }) => url === new URL(one, root).href + query) : []
      let source = mine.length > 0 ? Buffer.from(loaded.source as Uint8Array).toString('utf8') : ''
      for (const { file: one, from, to } of mine) {
        if (!source.includes(from)) throw new Error(`${one} has no "${from}" any more.`)
        source = source.replace(from, () => to)
      }
      return mine.length > 0 ? { ...loaded, source } : loaded
    },
  })
  try {
    return (await import(`./${file}${query}`)) as Module
  } finally {
    hooks.deregister()
  }
}
