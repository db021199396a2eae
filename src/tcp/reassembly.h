// Text that arrived beyond RCV.NXT, by sequence range (RFC 9293 §3.10.7.4, SHLD-31). Lengths only: each range carries a
// token that means something to the shell (the packet that holds the bytes). The first copy of a byte wins.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "wire/seq.h"
#include "wire/tcp_options.h"

namespace estab::tcp {

using wire::Seq;

class Reassembly {
 public:
  static constexpr size_t kCapacity = 256;

  struct Piece {
    Seq begin;
    Seq end;
    void* token = nullptr;
  };

  bool empty() const { return count_ == 0 && !has_fin_; }
  size_t pieces() const { return count_; }
  bool full() const { return count_ == kCapacity; }

  // The first part of [begin, end) that no piece covers; nothing when all of it is held.
  std::optional<Piece> first_gap(Seq begin, Seq end) const;

  // Adds a range that no piece overlaps (as first_gap gave it). False when full.
  [[nodiscard]] bool insert(const Piece& piece);

  // Removes and returns the piece that starts at `next`, if there is one.
  std::optional<Piece> pop(Seq next);
  // Removes and returns any piece: for clearing.
  std::optional<Piece> pop_any();

  void set_fin(Seq at) {
    has_fin_ = true;
    fin_ = at;
  }
  bool fin_at(Seq seq) const { return has_fin_ && fin_ == seq; }
  void clear_fin() { has_fin_ = false; }
  // Ready for another connection. What the tokens name is the caller's: pop_any() first.
  void clear() {
    count_ = recent_count_ = 0;
    has_fin_ = false;
  }

  // Fills blocks for a SACK option: the most recently changed first (RFC 2018 §4). Returns how many, at most `room`.
  size_t sack_blocks(std::array<wire::SackBlock, wire::kMaxSackBlocks>& blocks, size_t room) const;

 private:
  // The contiguous run of pieces around position i, as one block.
  wire::SackBlock run_around(size_t i) const;
  void note_recent(Seq seq);

  std::array<Piece, kCapacity> pieces_;  // sorted, disjoint
  size_t count_ = 0;
  std::array<Seq, wire::kMaxSackBlocks> recent_{};  // a byte in each of the last runs changed, newest first
  size_t recent_count_ = 0;
  Seq fin_;
  bool has_fin_ = false;
};

}  // namespace estab::tcp
