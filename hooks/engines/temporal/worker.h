/*
 * worker.h - the SDK's worker has ended: its runs end. GIL: held.
 */
#ifndef SG_TEMPORAL_WORKER_H
#define SG_TEMPORAL_WORKER_H

/* Once the SDK's worker has been imported: is told when one ends. */
void sg_temporal_watch_worker(void);
void sg_temporal_worker_remove(void);

#endif
