// Bytes in packet buffers, owned. What is received is handed over in these, and what is sent can be: nothing is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

namespace estab {

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept : packet_(std::exchange(other.packet_, nullptr)) {}
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  explicit operator bool() const { return packet_ != nullptr; }
  size_t size() const;  // bytes
  // Calls visit(bytes) for each contiguous piece, in order.
  void for_each(const std::function<void(std::span<const uint8_t>)>& visit) const;
  void append_to(std::string& text) const;

 private:
  friend class Connection;
  friend class Endpoint;
  friend struct BufferAccess;
  explicit Buffer(void* packet) : packet_(packet) {}
  void* packet_ = nullptr;
};

}  // namespace estab
