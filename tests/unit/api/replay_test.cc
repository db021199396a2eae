// Captures of Linux clients and servers, replayed. tests/data/*.pcap were made by tcpdump between two network
// namespaces: linux_echo (recorded at the client, whose checksums are unfinished): three conversations that end by FIN
// and one by RST; linux_echo_lossy: 20,000 bytes there and back with 12 % loss both ways; linux_plain_server: a server
// without timestamps, SACK and window scale; linux_http_any: curl and Python's http.server, recorded on the device
// "any" (Linux cooked v2).
#include "estab/replay.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/replay_packet.h"
#include "device/pcap_file.h"

namespace estab {
namespace {

class Echo : public Service {
 public:
  void on_receive(Connection connection) override { connection.send(connection.receive()); }
  void on_close(Connection, Error error) override { ends.push_back(error); }
  std::vector<Error> ends;
};

class Replay : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("estab-replay-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  static std::string data(const std::string& name) { return std::string(TEST_DATA "/") + name + ".pcap"; }
  static std::string bytes(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }

  Result<ReplaySummary> run(const std::string& in, const std::string& out, uint64_t seed = 1) {
    ReplayConfig config;
    config.in = in;
    config.out = path(out);
    config.address = *Cidr::parse("198.18.7.2/24");
    config.seed = seed;
    config.eal_arguments = {"--no-huge", "--no-shconf", "-m", "512"};
    return replay(config, [this](Endpoint& endpoint) {
      for (const uint16_t port : {uint16_t{7}, uint16_t{8}, uint16_t{80}}) endpoint.listen(port, echo_);
    });
  }

  Echo echo_;

 private:
  std::filesystem::path folder_;
};

TEST_F(Replay, LinuxEcho_IsEstablishedAcknowledgedAndClosed) {
  const auto summary = run(data("linux_echo"), "out.pcap");
  ASSERT_TRUE(summary) << summary.error();
  EXPECT_EQ(summary.value().stats.accepted, 4u);
  EXPECT_EQ(summary.value().stats.closed, 3u);
  EXPECT_EQ(summary.value().stats.failures, (std::map<std::string, uint64_t>{{"reset", 1}}));
  EXPECT_EQ(summary.value().stats.active, 0u);
  EXPECT_EQ(summary.value().stats.retransmitted, 0u);
  EXPECT_EQ(summary.value().stats.resets_sent, 0u);
  EXPECT_EQ(summary.value().stats.mbufs_in_use, 0u);
}

TEST_F(Replay, LinuxEchoWithLoss_SendsEveryByteBack) {
  const auto summary = run(data("linux_echo_lossy"), "out.pcap");
  ASSERT_TRUE(summary) << summary.error();
  EXPECT_EQ(summary.value().stats.closed, 1u);
  EXPECT_EQ(summary.value().stats.active, 0u);
  auto reader = device::PcapReader::open(path("out.pcap"));
  ASSERT_TRUE(reader);
  device::PcapReader::Packet packet;
  uint32_t isn = 0;
  uint32_t end = 0;
  while (reader->next(packet)) {
    const auto tcp = capture::find_tcp(packet.frame, packet.frame.size());
    if (!tcp) continue;
    if (tcp->header.flags.syn()) isn = tcp->header.seq.value();
    if (tcp->text > 0) end = std::max(end, tcp->header.seq.value() + tcp->text - isn - 1);
  }
  EXPECT_EQ(end, 20'000u);
}

TEST_F(Replay, ServerWithoutOptions_IsFollowedAllTheSame) {
  const auto summary = run(data("linux_plain_server"), "out.pcap");
  ASSERT_TRUE(summary) << summary.error();
  EXPECT_EQ(summary.value().stats.accepted, 4u);
  EXPECT_EQ(summary.value().stats.closed, 3u);
  EXPECT_EQ(summary.value().stats.active, 0u);
}

TEST_F(Replay, CookedCaptureOfAny_IsConverted) {
  const auto summary = run(data("linux_http_any"), "out.pcap");
  ASSERT_TRUE(summary) << summary.error();
  EXPECT_EQ(summary.value().stats.accepted, 3u);
  EXPECT_EQ(summary.value().stats.closed, 3u);
  EXPECT_EQ(summary.value().stats.active, 0u);
}

TEST_F(Replay, Twice_TheSameBytesUnlessTheSeedDiffers) {
  ASSERT_TRUE(run(data("linux_echo"), "first.pcap"));
  ASSERT_TRUE(run(data("linux_echo"), "second.pcap"));
  ASSERT_TRUE(run(data("linux_echo"), "other.pcap", 2));
  EXPECT_GT(bytes(path("first.pcap")).size(), 500u);
  EXPECT_EQ(bytes(path("first.pcap")), bytes(path("second.pcap")));
  EXPECT_NE(bytes(path("first.pcap")), bytes(path("other.pcap")));
}

TEST_F(Replay, BrokenOffCapture_IsReplayedUpToThere) {
  std::ofstream(path("half.pcap"), std::ios::binary) << bytes(data("linux_echo")).substr(0, 2500);
  const auto summary = run(path("half.pcap"), "out.pcap");
  ASSERT_TRUE(summary) << summary.error();
  EXPECT_FALSE(summary.value().cut_off.empty());
  EXPECT_GE(summary.value().stats.accepted, 1u);
  EXPECT_EQ(summary.value().stats.mbufs_in_use, 0u);
}

TEST_F(Replay, GarbageOrNothing_IsRefusedInASentence) {
  std::ofstream(path("garbage.pcap")) << "this is not a capture, and never was one";
  std::ofstream(path("empty.pcap")).flush();
  for (const char* name : {"garbage.pcap", "empty.pcap", "missing.pcap"}) {
    const auto summary = run(path(name), "out.pcap");
    ASSERT_FALSE(summary);
    EXPECT_NE(summary.error().find(name), std::string::npos) << summary.error();
  }
}

TEST_F(Replay, AnotherAddress_IsRefusedAndTheBusiestNamed) {
  ReplayConfig config;
  config.in = data("linux_http_any");
  config.out = path("out.pcap");
  config.address = *Cidr::parse("10.0.0.1/24");
  const auto summary = replay(config, [](Endpoint&) {});
  ASSERT_FALSE(summary);
  EXPECT_NE(summary.error().find("198.18.7.2:80"), std::string::npos) << summary.error();
}

}  // namespace
}  // namespace estab
