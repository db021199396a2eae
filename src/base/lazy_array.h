// A flat array whose memory the kernel provides page by page, as it is touched: room for millions, paid for when used.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>

namespace estab {

// Elements start as zero bytes. Throws std::bad_alloc where the address space is not to be had (set-up only).
template <typename T>
class LazyArray {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  explicit LazyArray(size_t size) : size_(size) {
    if (small()) {
      data_ = static_cast<T*>(std::memset(::operator new (bytes(), std::align_val_t{alignof(T)}), 0, bytes()));
      return;
    }
    void* memory = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    if (bytes() >= 2 * 1024 * 1024) madvise(memory, bytes(), MADV_HUGEPAGE);
    data_ = static_cast<T*>(memory);
  }
  ~LazyArray() {
    if (small()) {
      ::operator delete (data_, std::align_val_t{alignof(T)});
    } else {
      munmap(data_, bytes());
    }
  }
  LazyArray(const LazyArray&) = delete;
  LazyArray& operator=(const LazyArray&) = delete;

  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* data() { return data_; }
  size_t size() const { return size_; }

 private:
  // Where there is little to save, ordinary memory: AddressSanitizer watches its bounds.
  bool small() const { return bytes() < 64 * 1024; }
  size_t bytes() const { return (size_ == 0 ? 1 : size_) * sizeof(T); }

  size_t size_;
  T* data_ = nullptr;
};

}  // namespace estab
