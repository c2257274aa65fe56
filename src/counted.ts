/** How many of something, in words. @example counted(1, 'pair') // '1 pair'; counted(3, 'person', 'people') // '3 people' */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
