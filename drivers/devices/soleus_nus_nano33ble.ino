// soleus-nus version 1 on an Arduino Nano 33 BLE: acceleration and gyroscope. NOT RUN ON HARDWARE.
//
// Layout: soleus_nus.md. Needs the libraries ArduinoBLE and Arduino_LSM9DS1 (on a Nano 33 BLE Rev2:
// Arduino_BMI270_BMM150). Both libraries run the IMU at a fixed rate and at 4 g, 2000 deg/s, so that is what START
// grants, whatever was asked for.

#include <ArduinoBLE.h>
#include <Arduino_LSM9DS1.h>

// One sample fits the smallest payload (20 bytes). Where the host allows larger packets, up to 19 fit (236 bytes), and
// ten are kinder to the radio; ArduinoBLE cuts a packet that is longer than the link allows, so raise this only then.
const int SAMPLES_A_PACKET = 1;

const uint8_t ACC_CODE = 2;   // 2^2 = 4 g
const uint8_t GYRO_CODE = 4;  // 125 x 2^4 = 2000 deg/s
const int HEADER_BYTES = 8, SAMPLE_BYTES = 12;

BLEService uart("6E400001-B5A3-F393-E0A9-E50E24DCCA9E");
BLECharacteristic rx("6E400002-B5A3-F393-E0A9-E50E24DCCA9E", BLEWrite | BLEWriteWithoutResponse, 20);
BLECharacteristic tx("6E400003-B5A3-F393-E0A9-E50E24DCCA9E", BLENotify, HEADER_BYTES + SAMPLES_A_PACKET * SAMPLE_BYTES);

uint8_t packet[HEADER_BYTES + SAMPLES_A_PACKET * SAMPLE_BYTES];
int waiting = 0;          // samples in the packet
uint16_t counter = 0;     // number of the packet's first sample
uint16_t dropped = 0;     // packets that could not be sent
uint16_t boot_number = 0;
uint16_t rate_hz = 0;
bool streaming = false;
uint32_t status_ms = 0;

void put16(uint8_t *at, uint16_t value) {
  at[0] = value & 0xFF;
  at[1] = value >> 8;
}

void put32(uint8_t *at, uint32_t value) {
  put16(at, value & 0xFFFF);
  put16(at + 2, value >> 16);
}

int16_t steps(float share_of_range) {
  long value = lroundf(share_of_range * 32768.0f);
  return value > 32767 ? 32767 : value < -32768 ? -32768 : value;
}

void send(const uint8_t *bytes, int size) {
  if (!tx.writeValue(bytes, size) && dropped < 65535) dropped++;
}

void answer(uint8_t command, uint8_t result) {
  uint8_t bytes[3] = {0x15, command, result};
  send(bytes, 3);
}

void sendHello() {
  uint8_t bytes[20] = {0x14, 0, 's', 'o', 'l', 'e', 'u', 's', 1, 0, 0x03, 0};
  put16(bytes + 12, boot_number);
  put16(bytes + 14, rate_hz);
  put16(bytes + 16, 0);
  bytes[18] = 1 << ACC_CODE;
  bytes[19] = 1 << GYRO_CODE;
  send(bytes, 20);
}

void sendStatus() {
  uint8_t bytes[16] = {0x13, 0xFF, 0x00, 0x80};  // battery and temperature unknown
  put32(bytes + 4, micros());
  put16(bytes + 8, streaming ? rate_hz : 0);
  put16(bytes + 10, 0);
  put16(bytes + 12, dropped);
  put16(bytes + 14, boot_number);
  send(bytes, 16);
  status_ms = millis();
}

void start(const uint8_t *command, int size) {
  if (size != 9) return answer(2, 2);
  if (!(command[1] & 1)) return answer(2, 3);
  if (streaming) return answer(2, 4);
  uint8_t bytes[11] = {0x15, 2, 0, 1};
  put16(bytes + 4, rate_hz);
  put16(bytes + 6, 0);
  bytes[8] = ACC_CODE;
  bytes[9] = GYRO_CODE;
  bytes[10] = 0;
  send(bytes, 11);
  waiting = 0;
  counter = 0;
  dropped = 0;
  status_ms = millis();
  streaming = true;
}

void obey(const uint8_t *command, int size) {
  if (size < 1) return answer(0, 1);
  switch (command[0]) {
    case 1: return size == 1 ? sendHello() : answer(1, 2);
    case 2: return start(command, size);
    case 3:
      if (size != 1) return answer(3, 2);
      streaming = false;
      return answer(3, 0);
    case 4: return size == 1 ? sendStatus() : answer(4, 2);
    case 5: return answer(5, size == 3 ? 3 : 2);  // this board has no motor
    default: return answer(command[0], 1);
  }
}

void takeSample() {
  float acc[3], gyro[3];
  IMU.readAcceleration(acc[0], acc[1], acc[2]);
  IMU.readGyroscope(gyro[0], gyro[1], gyro[2]);
  uint32_t now_us = micros();
  uint8_t *at = packet + HEADER_BYTES + waiting * SAMPLE_BYTES;
  for (int axis = 0; axis < 3; axis++) {
    put16(at + 2 * axis, steps(acc[axis] / 4.0f));
    put16(at + 6 + 2 * axis, steps(gyro[axis] / 2000.0f));
  }
  if (++waiting < SAMPLES_A_PACKET) return;
  packet[0] = 0x11;
  packet[1] = GYRO_CODE << 4 | ACC_CODE;
  put16(packet + 2, counter);
  put32(packet + 4, now_us);
  send(packet, HEADER_BYTES + waiting * SAMPLE_BYTES);
  counter += waiting;
  waiting = 0;
}

void setup() {
  if (!IMU.begin() || !BLE.begin()) {
    for (;;) {}
  }
  rate_hz = lroundf(IMU.accelerationSampleRate());
  boot_number = NRF_FICR->DEVICEADDR[0] ^ micros() ^ analogRead(A0) << 6;
  BLE.setLocalName("soleus");
  BLE.setAdvertisedService(uart);
  uart.addCharacteristic(rx);
  uart.addCharacteristic(tx);
  BLE.addService(uart);
  BLE.advertise();
}

void loop() {
  BLE.poll();
  if (!BLE.connected()) {
    streaming = false;
    return;
  }
  if (rx.written()) obey(rx.value(), rx.valueLength());
  if (!streaming) return;
  if (IMU.accelerationAvailable() && IMU.gyroscopeAvailable()) takeSample();
  if (millis() - status_ms >= 10000) sendStatus();
}
