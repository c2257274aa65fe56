import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Machine } from '../src/ports/trainer.ts'
import { isReady, venvPython } from './python-env.ts'

const run = promisify(execFile)

/** Files that are there where CUDA may be: Linux with NVIDIA's driver, WSL. */
const gpuFiles = ['/dev/nvidiactl', '/dev/dxg']
const ask = 'import torch; print(*(torch.cuda.mem_get_info(n)[0] for n in range(torch.cuda.device_count())))'

/**
 * What a run would have: the free memory of the fullest GPU as PyTorch tells it, else what this machine (or its container)
 * has left. PyTorch is asked only where a GPU may be, for it takes seconds to load.
 *
 * @param processes how many GPUs, or processes on the CPU, share the run; 0: all GPUs, one process on the CPU
 */
export async function machineOf(venv: string, requirements: string, processes = 0): Promise<Machine> {
  const found = (await mayHaveGpu()) && (await isReady({ venv, requirements })) ? await gpusFree(venv) : []
  const gpus = processes > 0 ? found.slice(0, processes) : found
  return gpus.length === 0
    ? { device: 'cpu', freeMb: process.availableMemory() / 1e6, ...several(processes) }
    : { device: 'cuda', freeMb: Math.min(...gpus) / 1e6, ...several(gpus.length) }
}

function several(processes: number): Pick<Machine, 'processes'> {
  return processes > 1 ? { processes } : {}
}

async function mayHaveGpu(): Promise<boolean> {
  if (process.platform === 'win32') return true
  const found = await Promise.all(gpuFiles.map((path) => stat(path).catch(() => undefined)))
  return found.some((file) => file !== undefined)
}

/** Bytes that are free on each GPU; none where PyTorch finds none. */
async function gpusFree(venv: string): Promise<readonly number[]> {
  const { stdout } = await run(venvPython(venv), ['-c', ask]).catch(() => ({ stdout: '' }))
  return stdout.trim().split(/\s+/).filter(Boolean).map(Number)
}
