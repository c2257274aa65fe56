import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { HoneError } from '../errors.ts'

type Path = readonly PropertyKey[]

/** Where a text stands: `line` is the number of its first line in the file. */
export interface Place {
  readonly file: string
  readonly line: number
}

/**
 * Reads YAML that people wrote.
 *
 * @returns the value, and a function that says in which file and line a path of it stands
 * @throws HoneError CONFIG naming file, line and key.
 * @example readYaml('name: desk', z.strictObject({ name: z.string() }), { file: 'a.yaml', line: 1 }).value.name
 */
export function readYaml<S extends z.ZodType>(
  text: string,
  schema: S,
  { file, line }: Place,
): { readonly value: z.infer<S>; readonly at: (path: Path) => string } {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter })
  const lineAt = (offset: number) => `${file}, line ${counter.linePos(offset).line + line - 1}`
  const broken = document.errors[0]
  if (broken) throw new HoneError('CONFIG', `${lineAt(broken.pos[0])}: ${broken.message.split('\n')[0]}`)
  const at = (path: Path) => lineAt(offsetOf(document.contents, path))
  const checked = schema.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {})
  if (checked.success) return { value: checked.data, at }
  const issue = checked.error.issues[0] as z.core.$ZodIssue
  if (issue.code === 'unrecognized_keys') {
    const path = [...issue.path, issue.keys[0] ?? '']
    throw new HoneError('CONFIG', `${at(path)}: the key "${path.join('.')}" is not known.`)
  }
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
  throw new HoneError('CONFIG', `${at(issue.path)}, key "${issue.path.join('.') || 'front matter'}": ${message}.`)
}

/** Where in the YAML a path leads, or as far as it does. */
function offsetOf(root: unknown, path: Path): number {
  let node = root
  let offset = isNode(root) ? (root.range?.[0] ?? 0) : 0
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      if (!isScalar(pair?.key)) break
      offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(step)]
      if (!isNode(node)) break
      offset = node.range?.[0] ?? offset
    } else break
  }
  return offset
}
