import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What a file says, or what `make` makes; then it is kept there, whole or not at all. */
export async function keptJson<T>(path: string, make: () => Promise<T>): Promise<T> {
  const known = await readFile(path, 'utf8').catch(() => undefined)
  if (known !== undefined) return JSON.parse(known) as T
  const made = await make()
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.draft`, `${JSON.stringify(made, undefined, 1)}\n`)
  await rename(`${path}.draft`, path)
  return made
}
