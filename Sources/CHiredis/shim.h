// Only the reply parser (hiredis/read.h) and the reply objects it builds are used: SwiftNIO is the transport.
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
