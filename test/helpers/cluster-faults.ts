/** Faults of the node that owns a slot. None of them loses a confirmed write. */
import { type ClusterNode, clusterInfo, type TestCluster } from './redis-cluster.ts'
import { eventually } from './waiting.ts'

const WITHIN_MS = 60_000

/**
 * Settings for `startCluster`: each write is on disk before it is confirmed, and a replica takes over only on command. By
 * itself it would take over before it has received everything.
 */
export const LOSSLESS = {
  appendfsync: 'always',
  'cluster-replica-no-failover': 'yes',
  'repl-diskless-sync-delay': 0,
}

/** Kills the node that owns `key`, and restarts it. Resolves when the cluster is complete again. */
export async function crashOwner(cluster: TestCluster, key: string): Promise<void> {
  const owner = await cluster.ownerOf(key)
  await owner.crash()
  await owner.restart()
  await becomesWhole(cluster)
}

/** Makes the replica of the node that owns `key` take over, once it has received everything. */
export async function switchOver(cluster: TestCluster, key: string, replica: ClusterNode): Promise<void> {
  await eventually('the replica has everything on disk', () => isInStep(replica), WITHIN_MS)
  const hasTakenOver = async () => (await replica.admin.info('replication')).includes('role:master')
  // On a busy machine Redis gives up after 5 s, and says so only in its log.
  while (!(await hasTakenOver())) {
    await replica.admin.call('CLUSTER', 'FAILOVER').catch(() => {})
    await eventually('the replica takes over', hasTakenOver, 6000).catch(() => {})
  }
  const isOwner = async () => (await cluster.ownerOf(key)) === replica
  await eventually('the cluster knows the new owner', isOwner, WITHIN_MS)
  await becomesWhole(cluster)
}

async function becomesWhole({ nodes }: TestCluster): Promise<void> {
  for (const node of nodes)
    await eventually(
      'the cluster is whole',
      async () => (await clusterInfo(node, 'cluster_state')) === 'ok',
      WITHIN_MS,
    )
}

/** After a full copy from its primary, a replica has everything on disk only once it has rewritten its file. */
async function isInStep({ admin }: ClusterNode): Promise<boolean> {
  const info = `${await admin.info('replication')}${await admin.info('persistence')}`
  return [
    'master_link_status:up',
    'master_sync_in_progress:0',
    'aof_rewrite_in_progress:0',
    'aof_rewrite_scheduled:0',
  ].every((line) => info.includes(line))
}
