/* SPDX-License-Identifier: MIT */
/* A thread changes a string under a call and has ended before the call does. A signal ends the call, which
 * waits for nobody. What comes later is nobody else's. `wait` is a process whose thread was there before
 * anybody looked, `go` lets it begin and waits until it is through. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "/tmp/case_ended"
#define EARLIER FOLDER "_earlier"

static char path[64];
static int begin[2];

static void nothing(int signal) {
    (void)signal;
}

static void* change_string(void* unused) {
    char byte;
    read(begin[0], &byte, 1);
    usleep(100000);
    strcpy(strrchr(path, '/'), "/innocent");
    return unused;
}

/* Starts a program as single-threaded ones do: the child has the memory until it executes. */
static void spawn(void) {
    char* const words[] = {"true", 0};
    pid_t child;
    if (posix_spawn(&child, "/bin/true", 0, 0, words, 0) == 0)
        waitpid(child, 0, 0);
}

static void prepare(const char* folder) {
    const struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, 0);
    sigaction(SIGUSR1, &action, 0);
    pipe(begin);
    mkdir(folder, 0700);
    strcat(strcpy(path, folder), "/secret");
    mkfifo(path, 0600);
}

static void open_until_signal(void) {
    const struct itimerval once = {.it_value = {.tv_usec = 400000}};
    setitimer(ITIMER_REAL, &once, 0);
    write(begin[1], "x", 1);
    open(path, O_WRONLY | O_EXCL); /* nobody reads */
}

static void wait_and_act(void) {
    pthread_t thread;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prepare(EARLIER);
    pthread_create(&thread, 0, change_string, 0);
    FILE* const file = fopen(EARLIER "/pid", "w");
    fprintf(file, "%d", getpid());
    fclose(file);
    pause();
    open_until_signal();
    mkdir(EARLIER "/later", 0700);
    for (;;)
        pause();
}

static int let_begin(void) {
    FILE* const file = fopen(EARLIER "/pid", "r");
    int process = 0;
    if (!file || fscanf(file, "%d", &process) != 1)
        return 1;
    fclose(file);
    kill(process, SIGUSR1);
    for (int i = 0; i < 500 && rmdir(EARLIER "/later"); i++)
        usleep(10000);
    unlink(EARLIER "/pid");
    unlink(EARLIER "/secret");
    return rmdir(EARLIER);
}

int main(int count, char** argument) {
    pthread_t thread;
    if (count > 1 && !strcmp(argument[1], "wait"))
        wait_and_act();
    if (count > 1)
        return let_begin();
    prepare(FOLDER);
    spawn();
    mkdir(FOLDER "/alone", 0700);
    pthread_create(&thread, 0, change_string, 0);
    open_until_signal();
    mkdir(FOLDER "/later", 0700);
    pthread_join(thread, 0);
    rmdir(FOLDER "/later");
    rmdir(FOLDER "/alone");
    unlink(FOLDER "/secret");
    rmdir(FOLDER);
    return 0;
}
