// Objects of which few of many owners have one at a time: kept when given back, made when there is none left.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace estab {

template <typename T>
class Spares {
 public:
  // To be given back. As its last owner left it.
  T* take() {
    if (free_.empty()) return new T();
    T* object = free_.back().release();
    free_.pop_back();
    return object;
  }
  void give(T* object) { free_.emplace_back(object); }

 private:
  std::vector<std::unique_ptr<T>> free_;
};

}  // namespace estab
