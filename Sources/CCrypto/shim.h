// OpenSSL's libcrypto, 3.0 or later. TLS does not use it: swift-nio-ssl bundles BoringSSL, with prefixed symbols.
#include <openssl/crypto.h>
#include <openssl/evp.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "libssl-dev 3.0 or later is needed"
#endif
