import { Hono } from 'hono'
import type { Env, Site } from './site.ts'

export function learningRoutes(_site: Site): Hono<Env> {
  return new Hono<Env>()
}
