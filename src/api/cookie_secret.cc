#include "api/cookie_secret.h"

#include <charconv>
#include <fstream>

namespace estab {

Result<SipKey> read_cookie_secret(const std::string& file) {
  std::ifstream in(file);
  if (!in) return Failure{"cannot read the cookie secret from '" + file + "': give a file that exists and is readable"};
  std::string digits, more;
  in >> digits >> more;
  SipKey key{};
  uint64_t* const halves[2] = {&key.k0, &key.k1};
  bool good = digits.size() == 32 && more.empty();
  for (size_t i = 0; good && i < 2; ++i) {
    const char* begin = digits.data() + i * 16;
    const auto [end, error] = std::from_chars(begin, begin + 16, *halves[i], 16);
    good = error == std::errc() && end == begin + 16;
  }
  if (!good || (key.k0 == 0 && key.k1 == 0)) {
    return Failure{"'" + file + "' is not a cookie secret: it must hold 32 hexadecimal digits and nothing else, as " +
                   "'openssl rand -hex 16' prints them"};
  }
  return key;
}

}  // namespace estab
