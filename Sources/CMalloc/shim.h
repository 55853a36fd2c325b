/* glibc's malloc, as far as Swift's Glibc module leaves it out. */
#include <malloc.h>
