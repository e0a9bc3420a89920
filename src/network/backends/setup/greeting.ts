import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runProcess } from './process.js';

/**
 * TensorFlow from 2.18 on says on stderr that its oneDNN kernels are on while the library is being loaded, before it
 * reads the variable that sets what it may say. Loaded before it, this module drops those two messages from the
 * library's stderr stream and lets everything else pass; with the last of them it steps aside.
 */
const source = `#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static FILE *plain;

static int says(const char *text, size_t size, const char *words) {
  return memmem(text, size, words, strlen(words)) != NULL;
}

static ssize_t pass(void *cookie, const char *text, size_t size) {
  if (says(text, size, "All log messages before absl::InitializeLog() is called")) return size;
  if (says(text, size, "oneDNN custom operations are on")) {
    stderr = plain;
    return size;
  }
  for (size_t done = 0; done < size;) {
    ssize_t more = write(STDERR_FILENO, text + done, size - done);
    if (more <= 0) return done;
    done += more;
  }
  return size;
}

void *napi_register_module_v1(void *env, void *exports) {
  if (plain) return exports;
  FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = pass});
  if (!stream) return exports;
  setvbuf(stream, NULL, _IONBF, 0);
  plain = stderr;
  stderr = stream;
  return exports;
}
`;

/** The module that keeps the greeting away, beside the addon of a package folder. */
export const greetingFilter = (packageFolder: string): string =>
  path.join(packageFolder, 'lib', 'napi-v8', 'kernelscope_greeting.node');

/** Compiles that module where the library may greet (glibc). Without a C compiler the greeting stays: no harm. */
export async function compileGreetingFilter(packageFolder: string): Promise<void> {
  const target = greetingFilter(packageFolder);
  if (process.platform !== 'linux' || existsSync(target)) return;
  const text = path.join(path.dirname(target), 'kernelscope_greeting.c');
  await writeFile(text, source);
  const compiler = process.env['CC'] ?? 'cc';
  // Never unloaded: the library holds the stream it puts in the place of stderr.
  const flags = ['-shared', '-fPIC', '-O2', '-Wl,-z,nodelete', '-o', target, text];
  const result = await runProcess(compiler, flags, { timeoutMs: 60_000 });
  if (result.code !== 0) await rm(target, { force: true });
}
