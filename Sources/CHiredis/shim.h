// Only the reply parser (hiredis/read.h) and the version macros (hiredis/hiredis.h) are used: SwiftNIO is the transport.
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
