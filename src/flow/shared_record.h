// What a record says of itself to other threads while its owner reuses it: a generation, odd while the record is in
// use, and a value, such as its tuple, that is the same for all of that generation. The owner reads both as always.
// A sequence lock (Boehm, "Can Seqlocks Get Along With Programming Language Memory Models?", 2012) without fences: on
// x86 its loads and stores are plain ones.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace estab::flow {

namespace shared_record_detail {

using Word [[gnu::may_alias]] = uint32_t;

template <typename T>
using Words = std::array<uint32_t, sizeof(T) / sizeof(uint32_t)>;

}  // namespace shared_record_detail

// Gives a record that is not in use to `value`.
template <typename T>
void publish(uint32_t& generation, T& place, const T& value) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 4 == 0 && alignof(T) >= 4);
  using namespace shared_record_detail;
  auto* to = reinterpret_cast<Word*>(&place);
  // Who reads one of these has to see, when it looks at the generation again, that the last one is over.
  for (const uint32_t word : std::bit_cast<Words<T>>(value)) __atomic_store_n(to++, word, __ATOMIC_RELEASE);
  __atomic_store_n(&generation, generation + 1, __ATOMIC_RELEASE);
}

// Ends the record's use.
inline void retire(uint32_t& generation) {
  __atomic_store_n(&generation, generation + 1, __ATOMIC_RELEASE);
}

template <typename T>
struct Snapshot {
  uint32_t generation;
  T value;
};

// For any thread: the value and its generation; nothing where the record is not in use, or was reused meanwhile.
template <typename T>
std::optional<Snapshot<T>> snapshot(const uint32_t& generation, const T& place) {
  using namespace shared_record_detail;
  const uint32_t before = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
  if ((before & 1) == 0) return std::nullopt;
  Words<T> words;
  const auto* from = reinterpret_cast<const Word*>(&place);
  for (uint32_t& word : words) word = __atomic_load_n(from++, __ATOMIC_ACQUIRE);
  if (__atomic_load_n(&generation, __ATOMIC_RELAXED) != before) return std::nullopt;
  return Snapshot<T>{before, std::bit_cast<T>(words)};
}

}  // namespace estab::flow
