// Memory of DPDK's in 2 MB pages where none are reserved, as our own tables have it: a comparison of tables is not to
// be one of pages.
#pragma once

#include <rte_memory.h>
#include <sys/mman.h>

#include <cstring>
#include <vector>

namespace estab::bench {

// Right after the EAL's start, when little of its memory is in use. Does nothing where it has real huge pages.
inline void use_huge_pages() {
  const auto replace = [](const rte_memseg_list* list, void*) {
    if (list->page_sz >= 2 * 1024 * 1024 || list->external != 0) return 0;
    auto* base = static_cast<uint8_t*>(list->base_va);
    std::vector<unsigned char> resident(list->len / list->page_sz);
    if (mincore(base, list->len, resident.data()) != 0) return 0;
    std::vector<std::pair<size_t, std::vector<uint8_t>>> kept;
    for (size_t i = 0; i < resident.size(); ++i) {
      if ((resident[i] & 1) == 0) continue;
      const size_t at = i * list->page_sz;
      kept.emplace_back(at, std::vector<uint8_t>(base + at, base + at + list->page_sz));
    }
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    if (mmap(base, list->len, PROT_READ | PROT_WRITE, kFlags, -1, 0) == MAP_FAILED) return -1;
    madvise(base, list->len, MADV_HUGEPAGE);
    for (const auto& [at, bytes] : kept) std::memcpy(base + at, bytes.data(), bytes.size());
    return 0;
  };
  rte_memseg_list_walk(replace, nullptr);
}

}  // namespace estab::bench
