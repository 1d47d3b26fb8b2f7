// Streams and their recording, as the driver does it: launches are recorded with a copy of their arguments; what waits,
// allocates or frees on the thread that records is refused, and so is the host's memory, which is not page-locked here.
#define _GNU_SOURCE
#include "graphs.h"
#include "kernels.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct node {
    int kernel;
    unsigned grid[3], threads;
    size_t bytes;
    void *arguments;
};

struct graph {
    struct node *nodes;
    size_t count;
    int is_broken;
    struct graph *next; // of those that can be launched
};

struct stream {
    struct graph *recording;
    int is_invalid, device;
};

// For tests in this process: how many graphs each device has launched, and how many it could; which call is to fail on this
// thread.
atomic_int fake_cuda_graph_launches[MOST_DEVICES], fake_cuda_graphs[MOST_DEVICES];
_Thread_local const char *fake_cuda_failing;

static _Thread_local struct stream *recording_stream;
static struct graph *executables;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int fails(const char *call) {
    const char *name = fake_cuda_failing ? fake_cuda_failing : getenv("FAKE_CUDA_FAILING");
    return name && !strcmp(name, call);
}

int refuse_while_recording(void *stream) {
    struct stream *refusing = stream ? stream : recording_stream;
    if (!refusing || !refusing->recording) return 0;
    refusing->is_invalid = 1;
    return CAPTURE_UNSUPPORTED;
}

int records_launch(void *handle, int kernel, const unsigned grid[3], unsigned threads, const void *arguments,
                   int *result) {
    struct stream *stream = handle;
    struct graph *graph = stream->recording;
    if (!graph) return 0;
    *result = stream->is_invalid ? CAPTURE_INVALIDATED : 0;
    if (*result) return 1;
    graph->nodes = realloc(graph->nodes, (graph->count + 1) * sizeof(struct node));
    struct node *node = &graph->nodes[graph->count++];
    *node = (struct node){kernel, {grid[0], grid[1], grid[2]}, threads, argument_bytes(kernel), NULL};
    node->arguments = malloc(node->bytes);
    memcpy(node->arguments, arguments, node->bytes);
    return 1;
}

void forget_memory(uint64_t address, size_t bytes) {
    pthread_mutex_lock(&lock);
    for (struct graph *graph = executables; graph; graph = graph->next) {
        for (size_t i = 0; i < graph->count; i++) {
            // Pointers are aligned, and what happens to look like one does not matter here.
            const uint64_t *words = graph->nodes[i].arguments;
            for (size_t j = 0; j < graph->nodes[i].bytes / 8; j++) {
                graph->is_broken |= words[j] >= address && words[j] - address < bytes;
            }
        }
    }
    pthread_mutex_unlock(&lock);
}

int stream_device(void *stream) { return ((struct stream *)stream)->device; }

int cuStreamCreate(void **handle, unsigned flags) {
    if (fails("cuStreamCreate")) return 2;
    struct stream *stream = calloc(1, sizeof(struct stream));
    stream->device = current_device();
    *handle = stream;
    return flags == 1 ? 0 : 1;
}

int cuStreamDestroy_v2(void *stream) {
    if (recording_stream == stream) recording_stream = NULL;
    free(stream);
    return 0;
}

int cuStreamBeginCapture_v2(void *handle, int mode) {
    struct stream *stream = handle;
    if (mode != 1 || stream->recording || recording_stream || fails("cuStreamBeginCapture")) return 1;
    stream->recording = calloc(1, sizeof(struct graph));
    stream->is_invalid = 0;
    recording_stream = stream;
    return 0;
}

static struct graph *copied(const struct graph *graph) {
    struct graph *copy = calloc(1, sizeof *copy);
    copy->count = graph->count;
    copy->nodes = calloc(graph->count, sizeof(struct node));
    for (size_t i = 0; i < graph->count; i++) {
        copy->nodes[i] = graph->nodes[i];
        copy->nodes[i].arguments = malloc(graph->nodes[i].bytes);
        memcpy(copy->nodes[i].arguments, graph->nodes[i].arguments, graph->nodes[i].bytes);
    }
    return copy;
}

int cuGraphDestroy(void *handle) {
    struct graph *graph = handle;
    for (size_t i = 0; i < graph->count; i++) free(graph->nodes[i].arguments);
    free(graph->nodes);
    free(graph);
    return 0;
}

int cuStreamEndCapture(void *handle, void **graph) {
    struct stream *stream = handle;
    if (recording_stream != stream || !stream->recording) return 1;
    *graph = stream->recording;
    stream->recording = NULL;
    recording_stream = NULL;
    if (!stream->is_invalid) return 0;
    cuGraphDestroy(*graph);
    *graph = NULL;
    return CAPTURE_INVALIDATED;
}

int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long flags) {
    if (fails("cuGraphInstantiateWithFlags")) return 2;
    struct graph *copy = copied(graph);
    pthread_mutex_lock(&lock);
    copy->next = executables;
    executables = copy;
    pthread_mutex_unlock(&lock);
    fake_cuda_graphs[current_device()]++;
    *executable = copy;
    return flags ? 1 : 0;
}

int cuGraphExecDestroy(void *executable) {
    pthread_mutex_lock(&lock);
    for (struct graph **at = &executables; *at; at = &(*at)->next) {
        if (*at != executable) continue;
        *at = (*at)->next;
        break;
    }
    pthread_mutex_unlock(&lock);
    fake_cuda_graphs[current_device()]--;
    return cuGraphDestroy(executable);
}

int cuGraphLaunch(void *executable, void *stream) {
    struct graph *graph = executable;
    if (fails("cuGraphLaunch")) return ILLEGAL_ADDRESS;
    const int refused = refuse_while_recording(stream);
    if (refused) return refused;
    if (graph->is_broken) return ILLEGAL_ADDRESS;
    for (size_t i = 0; i < graph->count && !does_nothing("cuGraphLaunch"); i++) {
        const struct node *node = &graph->nodes[i];
        run_kernel(node->kernel, node->grid, node->threads, node->arguments);
    }
    fake_cuda_graph_launches[current_device()]++;
    log_line("launched a graph\n");
    return 0;
}
