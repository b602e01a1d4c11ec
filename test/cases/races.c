/* SPDX-License-Identifier: MIT */
/* Calls that wait while another thread changes what they were given: a string, the working directory, a
 * descriptor. Signals end those that wait for nobody. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/tmp/case_races"

static char path[64] = FOLDER "/secret";
static int ends[2], waiting, other;
static pthread_t main_thread;

static void nothing(int signal) {
    (void)signal;
}

/* A thread that has ended by the end of the call is not counted. */
static void* stay(void) {
    pause();
    return 0;
}

static void* change_string(void* unused) {
    (void)unused;
    usleep(100000);
    strcpy(path, FOLDER "/innocent");
    pthread_kill(main_thread, SIGUSR1);
    return stay();
}

static void* change_directory(void* unused) {
    (void)unused;
    usleep(100000);
    if (chdir(FOLDER "/elsewhere") == 0)
        pthread_kill(main_thread, SIGUSR1);
    return stay();
}

static void* change_descriptor(void* unused) {
    (void)unused;
    usleep(100000);
    dup2(other, waiting);
    usleep(100000);
    if (write(ends[1], "x", 1) != 1)
        pthread_kill(main_thread, SIGUSR1);
    return stay();
}

static void start(void* (*work)(void*)) {
    pthread_t thread;
    pthread_create(&thread, 0, work, 0);
    pthread_detach(thread);
}

int main(void) {
    const struct sigaction action = {.sa_handler = nothing};
    char byte;
    sigaction(SIGUSR1, &action, 0);
    main_thread = pthread_self();
    mkdir(FOLDER, 0700);
    mkdir(FOLDER "/elsewhere", 0700);
    if (mkfifo(FOLDER "/secret", 0600) || mkfifo(FOLDER "/relative", 0600) || pipe(ends) || chdir(FOLDER))
        return 1;
    other = open("/etc/passwd", O_RDONLY);
    start(change_string);
    open(path, O_WRONLY | O_EXCL); /* nobody reads */
    start(change_directory);
    open("relative", O_WRONLY | O_EXCL);
    waiting = dup(ends[0]);
    start(change_descriptor);
    const int was_read = read(waiting, &byte, 1) == 1;
    unlink(FOLDER "/secret");
    unlink(FOLDER "/relative");
    rmdir(FOLDER "/elsewhere");
    rmdir(FOLDER);
    return !was_read;
}
