/* The parts of glibc's malloc that Swift's Glibc module leaves out. */
#include <malloc.h>
