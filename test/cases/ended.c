/* SPDX-License-Identifier: MIT */
/* A thread changes a string under a call and has ended before the call does. A signal ends the call, which
 * waits for nobody. What comes later is nobody else's. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "/tmp/case_ended"

static char path[64] = FOLDER "/secret";

static void nothing(int signal) {
    (void)signal;
}

static void* change_string(void* unused) {
    (void)unused;
    usleep(100000);
    strcpy(path, FOLDER "/innocent");
    return 0;
}

/* Starts a program as single-threaded ones do: the child has the memory until it executes. */
static void spawn(void) {
    char* const words[] = {"true", 0};
    pid_t child;
    if (posix_spawn(&child, "/bin/true", 0, 0, words, 0) == 0)
        waitpid(child, 0, 0);
}

int main(void) {
    const struct sigaction action = {.sa_handler = nothing};
    const struct itimerval once = {.it_value = {.tv_usec = 400000}};
    pthread_t thread;
    sigaction(SIGALRM, &action, 0);
    mkdir(FOLDER, 0700);
    mkfifo(path, 0600);
    spawn();
    mkdir(FOLDER "/alone", 0700);
    pthread_create(&thread, 0, change_string, 0);
    setitimer(ITIMER_REAL, &once, 0);
    open(path, O_WRONLY | O_EXCL); /* nobody reads */
    mkdir(FOLDER "/later", 0700);
    pthread_join(thread, 0);
    rmdir(FOLDER "/later");
    rmdir(FOLDER "/alone");
    unlink(FOLDER "/secret");
    rmdir(FOLDER);
    return 0;
}
