// One program for both commands, which have nearly everything in common: it does what the name that it is called by says.

#include <string.h>

// What SwiftPM calls the programs' own main functions.
int AudioLDM2CLI_main(int argc, char **argv);
int AudioLDM2Convert_main(int argc, char **argv);

int main(int argc, char **argv) {
    const char *name = argc > 0 ? argv[0] : "";
    const char *slash = strrchr(name, '/');
    return strcmp(slash ? slash + 1 : name, "audioldm2-convert") == 0 ? AudioLDM2Convert_main(argc, argv)
                                                                       : AudioLDM2CLI_main(argc, argv);
}
