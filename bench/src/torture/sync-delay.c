/* Preloaded into a broker: each sync takes so much longer as a file says, and is written down. See sync-delay.ts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void wait_as_told(void) {
  char text[16] = {0};
  int file = open(getenv("SYNC_DELAY_FILE"), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  if (read(file, text, sizeof text - 1) > 0) {
    long ms = atol(text);
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0) {
    }
  }
  close(file);
}

static void write_down(double from_ms) {
  char line[64];
  int length = snprintf(line, sizeof line, "%.3f %.3f\n", from_ms, now_ms());
  int file = open(getenv("SYNC_LOG_FILE"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (write(file, line, length) != length) abort();
  close(file);
}

static int sync_late(const char *name, int descriptor) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  double from_ms = now_ms();
  wait_as_told();
  int result = real(descriptor);
  write_down(from_ms);
  return result;
}

int fsync(int descriptor) { return sync_late("fsync", descriptor); }

int fdatasync(int descriptor) { return sync_late("fdatasync", descriptor); }
