// Two ends of a bad wire in memory, under a virtual clock: see Impairment for what it does. Frames are carried as bytes
// and arrive in mbufs of the receiving end's pool, as from a NIC; without an mbuf a frame is lost there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "buf/mbuf_pool.h"
#include "device/impairment.h"
#include "device/link.h"

namespace estab::device {

struct ImpairedLinkOptions {
  uint64_t seed = 1;
  std::array<ImpairmentSettings, 2> from;  // for what each end sends
  uint16_t mtu = 1500;
  bool multi_segment = true;
  uint16_t receive_segment = 0;  // text bytes an mbuf of what is received, to exercise chains; 0: as many as fit
};

class ImpairedLink final : public Link {
 public:
  struct Counters {
    uint64_t oversized = 0;  // frames beyond the MTU, or chains where the device takes none: dropped
    uint64_t no_mbuf = 0;    // frames that found no mbuf to arrive in
    uint64_t dead = 0;       // frames that a dead end neither sent nor got
  };

  using Pair = std::pair<std::unique_ptr<ImpairedLink>, std::unique_ptr<ImpairedLink>>;
  // `now` is read whenever an end sends or receives. The ends must live equally long; the clock and the pools longer.
  static Pair create_pair(const ImpairedLinkOptions& options, const Instant& now, buf::MbufPool& first,
                          buf::MbufPool& second);

  void receive(buf::MbufBurst& burst) override;
  uint16_t transmit(rte_mbuf** mbufs, uint16_t count) override;
  const Capabilities& capabilities() const override { return capabilities_; }
  wire::MacAddress mac() const override { return {{0x02, 0, 0, 0, 0, static_cast<uint8_t>(1 + end_)}}; }
  uint16_t mtu() const override { return wire_->mtu; }

  // When the next frame reaches this end; never when none is under way.
  Instant next_arrival() const;
  // Of what this end sends.
  Impairment& impairment() { return wire_->impairment[end_]; }
  // A dead end loses all that it sends and all that reaches it.
  void set_dead(bool dead) { wire_->dead[end_] = dead; }
  bool is_dead() const { return wire_->dead[end_]; }
  // How many packets a transmit takes at most: to play a device that is full.
  void set_room(uint16_t room) { room_ = room; }
  const Counters& counters() const { return counters_; }
  // Is shown each frame that this end sends, and each that it receives.
  void set_tap(std::function<void(bool received, std::span<const uint8_t> frame)> tap) { tap_ = std::move(tap); }

 private:
  using Bytes = std::vector<uint8_t>;
  struct Wire {
    Wire(const ImpairedLinkOptions& options, const Instant& clock);
    const Instant& now;
    uint16_t mtu;
    std::array<Impairment, 2> impairment;
    std::array<bool, 2> dead{};
    std::array<std::multimap<Instant, Bytes>, 2> to;  // those for the same instant stay in order
  };
  ImpairedLink(std::shared_ptr<Wire> wire, size_t end, buf::MbufPool& pool, const ImpairedLinkOptions& options);

  void carry(const rte_mbuf* frame);
  buf::Mbuf deliver(std::span<const uint8_t> frame);

  std::shared_ptr<Wire> wire_;
  size_t end_;
  buf::MbufPool& pool_;
  uint16_t receive_segment_;
  uint16_t room_ = UINT16_MAX;
  Capabilities capabilities_;
  Counters counters_;
  std::function<void(bool, std::span<const uint8_t>)> tap_;
};

}  // namespace estab::device
