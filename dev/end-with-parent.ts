/** Preloaded into a forked process: its parent's death, even by SIGKILL, counts as SIGTERM. */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
