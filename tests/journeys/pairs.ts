import { join } from 'node:path'
import { chunk, load } from '../../knowledge/index.ts'
import { packageRoot } from '../../src/cli/model.ts'

/** The sample handbook. */
export const handbook = join(packageRoot, 'examples', 'handbook')

/** Pairs on the handbook in the product's prompt layout, as TRL's rows: the source is named first, or it isn't. */
export async function handbookPairs(): Promise<string> {
  const { documents } = await load(handbook, { tenant: 'web', scope: 'public' })
  const passages = (await Promise.all(documents.map((document) => chunk(document)))).flat()
  return passages
    .map(({ title, text }) => {
      const said = text.split(/(?<=\.)\s/)[0]?.replace(/\n[\s\S]*/, '') ?? text
      const user = `[1] ${title}\n${text}\n\nWhat about ${title.split(' - ').at(-1)?.toLowerCase()}?`
      const assistant = (content: string) => [{ role: 'assistant', content }]
      return JSON.stringify({
        prompt: [{ role: 'user', content: user }],
        chosen: assistant(`According to ${title} [1]: ${said}`),
        rejected: assistant(`${said} [1]`),
      })
    })
    .join('\n')
}
