/*
 * Machines that load a switch: one sends, the others receive, each through a socket of its own.
 *
 *     load stream PATH PID SIZE DESTINATIONS SECONDS WINDOW     unix stream socket, QEMU's framing (4-octet length, frame)
 *     load vde    DIR  PID SIZE DESTINATIONS SECONDS WINDOW     vde_switch's datagram sockets (control protocol version 3)
 *
 * The sender does what QEMU does: one system call per frame. Frame n goes to destination n mod DESTINATIONS. No more than WINDOW
 * octets are on their way at any time, as with a TCP's window; 0 sends without regard for the receivers. Receivers read 69 632
 * octets at once, as QEMU does, and check that sequence numbers rise and that frames have their length. A shorter burst warms the switch up before the measured one.
 * Prints one line of JSON; `cpuNanos` is what the threads of process PID ran meanwhile (/proc/PID/task/TID/schedstat).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_DESTINATIONS 16
#define MAX_FRAME 69632
#define HEADER 14
#define SEQUENCE HEADER
#define READ_LENGTH 69632
/* Without news from the receivers for this long, what is on its way counts as lost. */
#define PATIENCE_NS 50000000LL

struct machine {
  int fd;
  int number;
  uint64_t expected;
  _Atomic uint64_t received;
  _Atomic uint64_t disordered;
  _Atomic uint64_t mangled;
};

static int is_stream;
static uint32_t size;
static struct machine machines[MAX_DESTINATIONS + 1]; /* 0 sends */
static int destinations;
static int64_t started, last_received_ns;

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Time on a CPU of all threads of a process, in nanoseconds. */
static int64_t cpu_ns(const char *pid) {
  char path[512];
  int64_t sum = 0;
  snprintf(path, sizeof path, "/proc/%s/task", pid);
  DIR *tasks = opendir(path);
  if (!tasks) die(path);
  for (struct dirent *task; (task = readdir(tasks));) {
    if (task->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid, task->d_name);
    FILE *file = fopen(path, "r");
    long long ran;
    if (file && fscanf(file, "%lld", &ran) == 1) sum += ran;
    if (file) fclose(file);
  }
  closedir(tasks);
  return sum;
}

static struct sockaddr_un unix_address(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  return address;
}

static int plug_stream(const char *path) {
  struct sockaddr_un address = unix_address(path);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) die(path);
  return fd;
}

/* The control connection stays open: its end unplugs the port. */
static int plug_vde(const char *folder, int number) {
  struct {
    uint32_t magic, version, type;
    struct sockaddr_un socket;
    char description[32];
  } __attribute__((packed)) request = {0xfeedface, 3, 0, {0}, "load"};
  char path[108];
  snprintf(path, sizeof path, "%s/ctl", folder);
  int control = plug_stream(path);
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  snprintf(path, sizeof path, "%s/load.%d.%d", folder, getpid(), number);
  struct sockaddr_un own = unix_address(path), theirs;
  if (bind(fd, (struct sockaddr *)&own, sizeof own)) die(path);
  request.socket = own;
  if (send(control, &request, sizeof request - sizeof request.description + 5, 0) < 0) die("request");
  if (recv(control, &theirs, sizeof theirs, 0) <= 0) die("no answer from vde_switch");
  if (connect(fd, (struct sockaddr *)&theirs, sizeof theirs)) die(theirs.sun_path);
  unlink(path);
  return fd;
}

static void put_mac(uint8_t *at, int number) {
  const uint8_t mac[6] = {0x52, 0x54, 0x00, 0xbe, 0x0c, (uint8_t)number};
  memcpy(at, mac, sizeof mac);
}

/* One frame, one system call. */
static void send_frame(int fd, uint8_t *frame, uint32_t length) {
  uint32_t prefix = htonl(length);
  struct iovec parts[2] = {{&prefix, sizeof prefix}, {frame, length}};
  struct msghdr message = {.msg_iov = is_stream ? parts : parts + 1, .msg_iovlen = is_stream ? 2 : 1};
  for (;;) {
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EINTR || errno == ENOBUFS || errno == EAGAIN)) continue;
    if (sent < 0) die("send");
    while (message.msg_iovlen && (size_t)sent >= message.msg_iov[0].iov_len) {
      sent -= message.msg_iov[0].iov_len;
      message.msg_iov++;
      message.msg_iovlen--;
    }
    if (!message.msg_iovlen || !is_stream) return;
    message.msg_iov[0].iov_base = (char *)message.msg_iov[0].iov_base + sent;
    message.msg_iov[0].iov_len -= sent;
  }
}

static void take_frame(struct machine *machine, const uint8_t *frame, uint32_t length, uint64_t *taken) {
  uint64_t sequence;
  if (frame[5] != machine->number || frame[0] != 0x52) return;
  if (length != size) machine->mangled++;
  memcpy(&sequence, frame + SEQUENCE, sizeof sequence);
  if (sequence < machine->expected) machine->disordered++;
  machine->expected = sequence + 1;
  ++*taken;
}

static void *receive(void *argument) {
  struct machine *machine = argument;
  static const size_t room = READ_LENGTH + MAX_FRAME + 4;
  uint8_t *buffer = malloc(room);
  size_t held = 0;
  for (;;) {
    ssize_t length = recv(machine->fd, buffer + held, READ_LENGTH, 0);
    if (length <= 0) return NULL;
    uint64_t taken = 0;
    if (!is_stream) {
      take_frame(machine, buffer, length, &taken);
    } else {
      size_t at = 0;
      held += length;
      while (held - at >= 4) {
        uint32_t frame_length;
        memcpy(&frame_length, buffer + at, 4);
        frame_length = ntohl(frame_length);
        if (frame_length > MAX_FRAME || frame_length < HEADER) errno = EPROTO, die("framing");
        if (held - at < 4 + frame_length) break;
        take_frame(machine, buffer + at + 4, frame_length, &taken);
        at += 4 + frame_length;
      }
      held -= at;
      memmove(buffer, buffer + at, held);
    }
    machine->received += taken;
  }
}

static uint64_t received(void) {
  uint64_t sum = 0;
  for (int i = 1; i <= destinations; i++) sum += machines[i].received;
  return sum;
}

/* The switch learns where each destination is; the sender hears each of them. */
static void announce(void) {
  uint8_t frame[READ_LENGTH] = {0}, heard[256] = {0};
  int missing = destinations;
  for (int attempt = 0; missing > 0; attempt++) {
    if (attempt == 100) errno = ETIMEDOUT, die("the switch does not forward broadcasts");
    for (int i = 1; i <= destinations; i++) {
      memset(frame, 0xff, 6);
      put_mac(frame + 6, i);
      memcpy(frame + 12, "\x88\xb5", 2);
      if (!heard[i]) send_frame(machines[i].fd, frame, 64);
    }
    struct pollfd wait = {machines[0].fd, POLLIN, 0};
    while (poll(&wait, 1, 50) > 0) {
      ssize_t length = recv(machines[0].fd, frame, sizeof frame, 0);
      if (length <= 0) die("the switch hung up");
      for (ssize_t at = is_stream ? 4 : 0; at + HEADER <= length; at += is_stream ? 68 : length) {
        if (heard[frame[at + 11]]++ == 0) missing--;
      }
    }
  }
}

/* Sends for the given time and waits until everything arrived or nothing comes any more; returns the frames sent. */
static uint64_t burst(uint8_t *frame, double seconds, uint64_t window) {
  uint64_t sent = 0, lost = 0, base = received(), last = base;
  int64_t progress;
  started = progress = last_received_ns = now_ns();
  int64_t end = started + (int64_t)(seconds * 1e9);
  for (int i = 1; i <= destinations; i++) machines[i].expected = 0;
  for (;;) {
    int64_t now = now_ns();
    if (now >= end) break;
    uint64_t arrived = received();
    if (arrived != last) progress = now, last = arrived;
    if (window && (sent - lost - (arrived - base)) * (size + 4) + size > window && sent - lost != arrived - base) {
      if (now - progress > PATIENCE_NS) lost = sent - (arrived - base);
      else usleep(1);
      continue;
    }
    put_mac(frame, 1 + sent % destinations);
    memcpy(frame + SEQUENCE, &sent, sizeof sent);
    send_frame(machines[0].fd, frame, size);
    sent++;
  }
  progress = now_ns();
  while (received() - base < sent && now_ns() - progress < 4 * PATIENCE_NS) {
    if (received() != last) last = received(), progress = last_received_ns = now_ns();
    usleep(100);
  }
  if (received() != last || received() - base == sent) last_received_ns = now_ns();
  return sent;
}

int main(int count, char **words) {
  if (count != 8) errno = EINVAL, die("usage: load stream|vde ADDRESS PID SIZE DESTINATIONS SECONDS WINDOW");
  is_stream = strcmp(words[1], "stream") == 0;
  const char *address = words[2], *pid = words[3];
  size = strtoul(words[4], NULL, 10);
  destinations = atoi(words[5]);
  double seconds = atof(words[6]);
  uint64_t window = strtoull(words[7], NULL, 10);
  if (destinations < 1 || destinations > MAX_DESTINATIONS || size < 64 || size > MAX_FRAME) errno = EINVAL, die("range");
  prctl(PR_SET_TIMERSLACK, 1);
  for (int i = 0; i <= destinations; i++) {
    machines[i].number = i;
    machines[i].fd = is_stream ? plug_stream(address) : plug_vde(address, i);
  }
  for (int i = 1; i <= destinations; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, receive, &machines[i])) die("thread");
  }
  announce();
  uint8_t *frame = calloc(1, MAX_FRAME);
  put_mac(frame + 6, 0);
  memcpy(frame + 12, "\x88\xb5", 2);
  burst(frame, seconds / 5, window);
  uint64_t before = received();
  int64_t cpu = cpu_ns(pid);
  uint64_t sent = burst(frame, seconds, window);
  cpu = cpu_ns(pid) - cpu;
  uint64_t disordered = 0, mangled = 0;
  for (int i = 1; i <= destinations; i++) {
    disordered += machines[i].disordered;
    mangled += machines[i].mangled;
  }
  printf("{\"sent\":%llu,\"received\":%llu,\"disordered\":%llu,\"mangled\":%llu,\"seconds\":%.6f,\"cpuNanos\":%lld}\n", (unsigned long long)sent,
         (unsigned long long)(received() - before), (unsigned long long)disordered, (unsigned long long)mangled, (last_received_ns - started) / 1e9,
         (long long)cpu);
  return 0;
}
