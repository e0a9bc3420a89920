// What all threads share at the bottom of the memory. Addresses in bytes.

/** Number of the last job; workers sleep on it. */
const generation: usize = 64;
/** `open` while a job can be entered, plus the number of workers that are in it. */
const state: usize = 68;
/** Next task of the job. */
const next: usize = 72;
const tasks: usize = 76;
const operation: usize = 80;
/** Parameters of the job, 4 bytes each. */
const parameters: usize = 128;

const open: i32 = 0x40000000;

@inline
export function address(i: i32): usize {
  return <usize>load<u32>(parameters + ((<usize>i) << 2));
}

@inline
export function integer(i: i32): i32 {
  return load<i32>(parameters + ((<usize>i) << 2));
}

@inline
export function real(i: i32): f32 {
  return load<f32>(parameters + ((<usize>i) << 2));
}

@inline
export function currentOperation(): i32 {
  return load<i32>(operation);
}

/** The next task of the job, or -1 when all are taken. */
@inline
export function takeTask(): i32 {
  const task = atomic.add<i32>(next, 1);
  return task < load<i32>(tasks) ? task : -1;
}

/** Opens the job whose operation, tasks and parameters are written, to `workers` sleeping threads. */
export function openJob(workers: i32): void {
  atomic.store<i32>(next, 0);
  if (workers == 0) return;
  atomic.store<i32>(state, open);
  atomic.add<i32>(generation, 1);
  atomic.notify(generation, workers);
}

/** Lets no other worker in and waits for those inside. */
export function closeJob(): void {
  atomic.and<i32>(state, ~open);
  while (true) {
    const inside = atomic.load<i32>(state);
    if (inside == 0) return;
    atomic.wait<i32>(state, inside, -1);
  }
}

/** Sleeps until there is another job than `seen`, and enters it if it is still open. Returns its number. */
export function enterJob(seen: i32): i32 {
  while (true) {
    const now = atomic.load<i32>(generation);
    if (now == seen) {
      atomic.wait<i32>(generation, seen, -1);
      continue;
    }
    seen = now;
    let s = atomic.load<i32>(state);
    while (s & open) {
      const found = atomic.cmpxchg<i32>(state, s, s + 1);
      if (found == s) return seen;
      s = found;
    }
  }
}

export function leaveJob(): void {
  if (atomic.sub<i32>(state, 1) == 1) atomic.notify(state, 1);
}
