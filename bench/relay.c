/*
 * The reference point: the least that a switch in C does. Machines connect to a unix stream socket; the last octet of a MAC address
 * finds the port. Reads 64 KiB, and writes neighbouring frames for the same port with one call, which blocks until they are taken.
 *
 *     relay PATH
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PORTS 64
#define READ_LENGTH 65536
#define MAX_FRAME 69632

static struct pollfd fds[PORTS + 1]; /* 0 listens */
static uint8_t *held[PORTS + 1];
static size_t held_length[PORTS + 1];
static int port_of[256]; /* last octet of a MAC -> index; 0: unknown */

static void leave(int port) {
  close(fds[port].fd);
  fds[port].fd = -1;
  held_length[port] = 0;
  for (int i = 0; i < 256; i++) {
    if (port_of[i] == port) port_of[i] = 0;
  }
}

static void write_all(int port, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = send(fds[port].fd, bytes, length, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes += written;
    length -= written;
  }
}

static void emit(int from, int to, const uint8_t *bytes, size_t length) {
  if (length == 0) return;
  if (to > 0) {
    write_all(to, bytes, length);
    return;
  }
  for (int i = 1; i <= PORTS; i++) {
    if (i != from && fds[i].fd >= 0) write_all(i, bytes, length);
  }
}

static void relay(int from) {
  uint8_t *bytes = held[from];
  ssize_t length = recv(fds[from].fd, bytes + held_length[from], READ_LENGTH, 0);
  if (length <= 0) {
    leave(from);
    return;
  }
  size_t end = held_length[from] + length, at = 0, run = 0;
  int run_to = 0;
  while (end - at >= 4) {
    uint32_t frame;
    memcpy(&frame, bytes + at, 4);
    frame = ntohl(frame);
    if (frame < 14 || frame > MAX_FRAME) {
      leave(from);
      return;
    }
    if (end - at < 4 + frame) break;
    port_of[bytes[at + 15]] = from;
    int to = bytes[at + 4] & 1 ? 0 : port_of[bytes[at + 9]];
    if (to != run_to) {
      emit(from, run_to, bytes + run, at - run);
      run = at;
      run_to = to;
    }
    at += 4 + frame;
  }
  emit(from, run_to, bytes + run, at - run);
  memmove(bytes, bytes + at, end - at);
  held_length[from] = end - at;
}

static void welcome(void) {
  int fd = accept(fds[0].fd, NULL, NULL);
  for (int i = 1; i <= PORTS; i++) {
    if (fds[i].fd >= 0) continue;
    fds[i].fd = fd;
    fds[i].events = POLLIN;
    if (!held[i]) held[i] = malloc(READ_LENGTH + MAX_FRAME + 4);
    return;
  }
  close(fd);
}

int main(int count, char **words) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (count != 2) return 2;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", words[1]);
  for (int i = 1; i <= PORTS; i++) fds[i].fd = -1;
  fds[0].fd = socket(AF_UNIX, SOCK_STREAM, 0);
  fds[0].events = POLLIN;
  if (bind(fds[0].fd, (struct sockaddr *)&address, sizeof address) || listen(fds[0].fd, PORTS)) {
    perror(words[1]);
    return 1;
  }
  for (;;) {
    if (poll(fds, PORTS + 1, -1) < 0) continue;
    if (fds[0].revents) welcome();
    for (int i = 1; i <= PORTS; i++) {
      if (fds[i].fd >= 0 && fds[i].revents) relay(i);
    }
  }
}
