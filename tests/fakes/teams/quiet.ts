/** botbuilder writes every token that it refuses to the console; where that is expected, it need not be read. */
export function quietConsole(): void {
  let error: (...data: unknown[]) => void
  before(() => {
    // biome-ignore lint/suspicious/noConsole: it is what is kept quiet
    error = console.error
    console.error = () => undefined
  })
  after(() => {
    console.error = error
  })
}
