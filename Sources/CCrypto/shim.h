// OpenSSL's libcrypto, 3.0 or later. TLS does not use it: swift-nio-ssl brings its own library, with prefixed symbols.
#include <openssl/evp.h>
