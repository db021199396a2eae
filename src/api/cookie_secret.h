// The SYN cookies' secret as a file gives it.
#pragma once

#include <string>

#include "base/siphash.h"
#include "estab/result.h"

namespace estab {

// 32 hexadecimal digits, white space around them ignored.
Result<SipKey> read_cookie_secret(const std::string& file);

}  // namespace estab
